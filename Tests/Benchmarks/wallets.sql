-- Fills a database that the server has made: 10,000 wallets that hold the first 16 tokens each, as if they had
-- been read once. Wallet n has address n. The mark of a clean stop stays; the counter moves on to revision 1, which
-- every row has.
BEGIN;

WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000)
INSERT INTO wallets (id, chain, address, created_at, block, read_at, is_complete, registered_revision)
SELECT n, 'ETH', printf('0x%040x', n), 1750000000000, 20000000, 1750000000000, 1, 1 FROM numbers;

INSERT INTO wallet_tokens (wallet_id, token_id, position, balance, is_known, state, block, revision, row_revision)
SELECT wallets.id, tokens.id, tokens.id, (wallets.id * 7919 + tokens.id) || '000000000000', 1, 0, 20000000, 1, 1
FROM wallets, tokens WHERE tokens.id < 16;

INSERT INTO ledger_prices (token_id, price, change_hundredths, accepted_at, source_time, revision)
SELECT id, (id * 37 + 1) || '.25', 125, 1750000000000, 1750000000000, 1 FROM tokens WHERE id < 16;

UPDATE meta SET value = '1' WHERE key = 'revision';

COMMIT;
