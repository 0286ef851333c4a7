// The tokens shown when no token list is configured: address, symbol, decimals, name. Addresses carry their
// EIP-55 checksum, and a test holds them to it.

extension ChainRegistry {
  static let ethereumTokens: [ListedToken] = [
    token("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "USDC", 6, "USD Coin"),
    token("0xdAC17F958D2ee523a2206206994597C13D831ec7", "USDT", 6, "Tether USD"),
    token("0x6B175474E89094C44Da98b954EedeAC495271d0F", "DAI", 18, "Dai Stablecoin"),
    token("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", "WETH", 18, "Wrapped Ether"),
    token("0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599", "WBTC", 8, "Wrapped BTC"),
    token("0x514910771AF9Ca656af840dff83E8264EcF986CA", "LINK", 18, "Chainlink"),
    token("0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984", "UNI", 18, "Uniswap"),
    token("0x7Fc66500c84A76Ad7e9c93437bFc5Ac33E2DDaE9", "AAVE", 18, "Aave"),
    token("0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84", "stETH", 18, "Liquid staked Ether"),
    token("0x7f39C581F595B53c5cb19bD0b3f8dA6c935E2Ca0", "wstETH", 18, "Wrapped liquid staked Ether"),
    token("0x5A98FcBEA516Cf06857215779Fd812CA3beF1B32", "LDO", 18, "Lido DAO"),
    token("0x95aD61b0a150d79219dCF64E1E6Cc01f0B64C4cE", "SHIB", 18, "Shiba Inu"),
    token("0x6982508145454Ce325dDbE47a25d4ec3d2311933", "PEPE", 18, "Pepe"),
    token("0x9f8F72aA9304c8B593d555F12eF6589cC3A579A2", "MKR", 18, "Maker"),
    token("0xD533a949740bb3306d119CC777fa900bA034cd52", "CRV", 18, "Curve DAO Token"),
    token("0x4c9EDD5852cd905f086C759E8383e09bff1E68B3", "USDe", 18, "USDe"),
  ]

  // The chain's pegged tokens mostly have 18 decimals, USDT and USDC too; DOGE has 8.
  static let bscTokens: [ListedToken] = [
    token("0x55d398326f99059fF775485246999027B3197955", "USDT", 18, "Tether USD"),
    token("0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d", "USDC", 18, "USD Coin"),
    token("0xbb4CdB9CBd36B01bD1cBaEBF2De08d9173bc095c", "WBNB", 18, "Wrapped BNB"),
    token("0x7130d2A12B9BCbFAe4f2634d864A1Ee1Ce3Ead9c", "BTCB", 18, "Bitcoin BEP2"),
    token("0x2170Ed0880ac9A755fd29B2688956BD959F933F8", "ETH", 18, "Ethereum (bridged)"),
    token("0x1AF3F329e8BE154074D8769D1FFa4eE058B1DBc3", "DAI", 18, "Dai Stablecoin"),
    token("0xe9e7CEA3DedcA5984780Bafc599bD69ADd087D56", "BUSD", 18, "Binance USD"),
    token("0x0E09FaBB73Bd3Ade0a17ECC321fD13a19e81cE82", "CAKE", 18, "PancakeSwap"),
    token("0x1D2F0da169ceB9fC7B3144628dB156f3F6c60dBE", "XRP", 18, "XRP (bridged)"),
    token("0x3EE2200Efb3400fAbB9AacF31297cBdD1d435D47", "ADA", 18, "Cardano (bridged)"),
    token("0xbA2aE424d960c26247Dd6c32edC70B295c744C43", "DOGE", 8, "Dogecoin (bridged)"),
    token("0xF8A0BF9cF54Bb92F17374d9e9A321E6a111a51bD", "LINK", 18, "Chainlink"),
    token("0x7083609fCE4d1d8Dc0C979AAb8c869Ea2C873402", "DOT", 18, "Polkadot (bridged)"),
    token("0xBf5140A22578168FD562DCcF235E5D43A02ce9B1", "UNI", 18, "Uniswap"),
    token("0xcF6BB5389c92Bdda8a3747Ddb454cB7a64626C63", "XVS", 18, "Venus"),
  ]

  static let polygonTokens: [ListedToken] = [
    token("0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", "USDC", 6, "USD Coin"),
    token("0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174", "USDC.e", 6, "USD Coin (bridged)"),
    token("0xc2132D05D31c914a87C6611C10748AEb04B58e8F", "USDT", 6, "Tether USD"),
    token("0x8f3Cf7ad23Cd3CaDbD9735AFf958023239c6A063", "DAI", 18, "Dai Stablecoin"),
    token("0x7ceB23fD6bC0adD59E62ac25578270cFf1b9f619", "WETH", 18, "Wrapped Ether"),
    token("0x1BFD67037B42Cf73acF2047067bd4F2C47D9BfD6", "WBTC", 8, "Wrapped BTC"),
    token("0x0d500B1d8E8eF31E21C99d1Db9A6444d3ADf1270", "WPOL", 18, "Wrapped POL"),
    token("0x53E0bca35eC356BD5ddDFebbD1Fc0fD03FaBad39", "LINK", 18, "Chainlink"),
    token("0xD6DF932A45C0f255f85145f286eA0b292B21C90B", "AAVE", 18, "Aave"),
    token("0xb33EaAd8d922B1083446DC23f610c2567fB5180f", "UNI", 18, "Uniswap"),
    token("0x172370d5Cd63279eFa6d502DAB29171933a610AF", "CRV", 18, "Curve DAO Token"),
    token("0xB5C064F955D8e7F38fE0460C556a72987494eE17", "QUICK", 18, "QuickSwap"),
  ]

  static let arbitrumTokens: [ListedToken] = [
    token("0xaf88d065e77c8cC2239327C5EDb3A432268e5831", "USDC", 6, "USD Coin"),
    token("0xFF970A61A04b1cA14834A43f5dE4533eBDDB5CC8", "USDC.e", 6, "USD Coin (bridged)"),
    token("0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", "USDT", 6, "USDT0"),
    token("0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1", "DAI", 18, "Dai Stablecoin"),
    token("0x82aF49447D8a07e3bd95BD0d56f35241523fBab1", "WETH", 18, "Wrapped Ether"),
    token("0x2f2a2543B76A4166549F7aaB2e75Bef0aefC5B0f", "WBTC", 8, "Wrapped BTC"),
    token("0x912CE59144191C1204E64559FE8253a0e49E6548", "ARB", 18, "Arbitrum"),
    token("0xf97f4df75117a78c1A5a0DBb814Af92458539FB4", "LINK", 18, "Chainlink"),
    token("0xfc5A1A6EB076a2C7aD06eD22C90d7E710E35ad0a", "GMX", 18, "GMX"),
    token("0xFa7F8980b0f1E64A2062791cc3b0871572f1F7f0", "UNI", 18, "Uniswap"),
    token("0x5979D7b546E38E414F7E9822514be443A4800529", "wstETH", 18, "Wrapped liquid staked Ether"),
    token("0x0c880f6761F1af8d9Aa9C466984b80DAb9a8c9e8", "PENDLE", 18, "Pendle"),
    token("0x3082CC23568eA640225c2467653dB90e9250AaA0", "RDNT", 18, "Radiant"),
  ]

  static let optimismTokens: [ListedToken] = [
    token("0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85", "USDC", 6, "USD Coin"),
    token("0x7F5c764cBc14f9669B88837ca1490cCa17c31607", "USDC.e", 6, "USD Coin (bridged)"),
    token("0x94b008aA00579c1307B0EF2c499aD98a8ce58e58", "USDT", 6, "Tether USD"),
    token("0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1", "DAI", 18, "Dai Stablecoin"),
    token("0x4200000000000000000000000000000000000006", "WETH", 18, "Wrapped Ether"),
    token("0x68f180fcCe6836688e9084f035309E29Bf0A2095", "WBTC", 8, "Wrapped BTC"),
    token("0x4200000000000000000000000000000000000042", "OP", 18, "Optimism"),
    token("0x350a791Bfc2C21F9Ed5d10980Dad2e2638ffa7f6", "LINK", 18, "Chainlink"),
    token("0x8700dAec35aF8Ff88c16BdF0418774CB3D7599B4", "SNX", 18, "Synthetix Network Token"),
    token("0x1F32b1c2345538c0c6f582fCB022739c4A194Ebb", "wstETH", 18, "Wrapped liquid staked Ether"),
    token("0x9560e827aF36c94D2Ac33a39bCE1Fe78631088Db", "VELO", 18, "Velodrome Finance"),
  ]

  static let avalancheTokens: [ListedToken] = [
    token("0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E", "USDC", 6, "USD Coin"),
    token("0xA7D7079b0FEaD91F3e65f86E8915Cb59c1a4C664", "USDC.e", 6, "USD Coin (bridged)"),
    token("0x9702230A8Ea53601f5cD2dc00fDBc13d4dF4A8c7", "USDt", 6, "Tether USD"),
    token("0xd586E7F844cEa2F87f50152665BCbc2C279D8d70", "DAI.e", 18, "Dai Stablecoin (bridged)"),
    token("0x49D5c2BdFfac6CE2BFdB6640F4F80f226bc10bAB", "WETH.e", 18, "Wrapped Ether (bridged)"),
    token("0x50b7545627a5162F82A992c33b87aDc75187B218", "WBTC.e", 8, "Wrapped BTC (bridged)"),
    token("0x152b9d0FdC40C096757F570A51E494bd4b943E50", "BTC.b", 8, "Bitcoin (bridged)"),
    token("0xB31f66AA3C1e785363F0875A1B74E27b85FD66c7", "WAVAX", 18, "Wrapped AVAX"),
    token("0x5947BB275c521040051D82396192181b413227A3", "LINK.e", 18, "Chainlink (bridged)"),
    token("0x6e84a6216eA6dACC71eE8E6b0a5B7322EEbC0fDd", "JOE", 18, "Trader Joe"),
    token("0x2b2C81e08f1Af8835a78Bb2A90AE924ACE0eA4bE", "sAVAX", 18, "Staked AVAX"),
    token("0x62edc0692BD897D2295872a9FFCac5425011c661", "GMX", 18, "GMX"),
  ]

  static let baseTokens: [ListedToken] = [
    token("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "USDC", 6, "USD Coin"),
    token("0xd9aAEc86B65D86f6A7B5B1b0c42FFA531710b6CA", "USDbC", 6, "USD Coin (bridged)"),
    token("0x50c5725949A6F0c72E6C4a641F24049A917DB0Cb", "DAI", 18, "Dai Stablecoin"),
    token("0x4200000000000000000000000000000000000006", "WETH", 18, "Wrapped Ether"),
    token("0x2Ae3F1Ec7F1F5012CFEab0185bfc7aa3cf0DEc22", "cbETH", 18, "Coinbase Wrapped Staked ETH"),
    token("0xcbB7C0000aB88B473b1f5aFd9ef808440eed33Bf", "cbBTC", 8, "Coinbase Wrapped BTC"),
    token("0x940181a94A35A4569E4529A3CDfB74e38FD98631", "AERO", 18, "Aerodrome Finance"),
    token("0xc1CBa3fCea344f92D9239c08C0568f6F2F0ee452", "wstETH", 18, "Wrapped liquid staked Ether"),
    token("0x4ed4E862860beD51a9570b96d89aF5E1B0Efefed", "DEGEN", 18, "Degen"),
    token("0x532f27101965dd16442E59d40670FaF5eBB142E4", "BRETT", 18, "Brett"),
    token("0xfde4C96c8593536E31F229EA8f37b2ADa2699bb2", "USDT", 6, "Tether USD"),
  ]

  static let zkSyncTokens: [ListedToken] = [
    token("0x1d17CBcF0D6D143135aE902365D2E5e2A16538D4", "USDC", 6, "USD Coin"),
    token("0x3355df6D4c9C3035724Fd0e3914dE96A5a83aaf4", "USDC.e", 6, "USD Coin (bridged)"),
    token("0x493257fD37EDB34451f62EDf8D2a0C418852bA4C", "USDT", 6, "Tether USD"),
    token("0x5AEa5775959fBC2557Cc8789bC1bf90A239D9a91", "WETH", 18, "Wrapped Ether"),
    token("0xBBeB516fb02a01611cBBE0453Fe3c580D7281011", "WBTC", 8, "Wrapped BTC"),
    token("0x4B9eb6c0b6ea15176BBF62841C6B2A8a398cb656", "DAI", 18, "Dai Stablecoin"),
    token("0x5A7d6b2F92C77FAD6CCaBd7EE0624E64907Eaf3E", "ZK", 18, "ZKsync"),
  ]

  static let lineaTokens: [ListedToken] = [
    token("0x176211869cA2b568f2A7D4EE941E073a821EE1ff", "USDC", 6, "USD Coin"),
    token("0xA219439258ca9da29E9Cc4cE5596924745e12B93", "USDT", 6, "Tether USD"),
    token("0xe5D7C2a44FfDDf6b295A15c148167daaAf5Cf34f", "WETH", 18, "Wrapped Ether"),
    token("0x3aAB2285ddcDdaD8edf438C1bAB47e1a9D05a9b4", "WBTC", 8, "Wrapped BTC"),
    token("0x4AF15ec2A0BD43Db75dd04E62FAA3B8EF36b00d5", "DAI", 18, "Dai Stablecoin"),
    token("0xB5beDd42000b71FddE22D3eE8a79Bd49A568fC8F", "wstETH", 18, "Wrapped liquid staked Ether"),
  ]

  static let mantaTokens: [ListedToken] = [
    token("0xb73603C5d87fA094B7314C74ACE2e64D165016fb", "USDC", 6, "USD Coin"),
    token("0xf417F5A458eC102B90352F697D6e2Ac3A3d2851f", "USDT", 6, "Tether USD"),
    token("0x0Dc808adcE2099A9F62AA87D9670745AbA741746", "WETH", 18, "Wrapped Ether"),
    token("0x1c466b9371f8aBA0D7c458bE10a62192Fcb8Aa71", "DAI", 18, "Dai Stablecoin"),
    token("0x305E88d809c9DC03179554BFbf85Ac05Ce8F18d6", "WBTC", 8, "Wrapped BTC"),
    token("0x95CeF13441Be50d20cA4558CC0a27B601aC544E5", "MANTA", 18, "Manta Network"),
  ]

  // The tokens bridged by Multichain lost their backing in 2023.
  static let fantomTokens: [ListedToken] = [
    token("0x04068DA6C83AFCFA0e13ba15A6696662335D5B75", "USDC", 6, "USD Coin (Multichain)"),
    token("0x049d68029688eAbF473097a2fC38ef61633A3C7A", "fUSDT", 6, "Tether USD (Multichain)"),
    token("0x8D11eC38a3EB5E956B052f67Da8Bdc9bef8Abf3E", "DAI", 18, "Dai Stablecoin (Multichain)"),
    token("0x21be370D5312f44cB42ce377BC9b8a0cEF1A4C83", "WFTM", 18, "Wrapped Fantom"),
    token("0x74b23882a30290451A17c44f4F05243b6b58C76d", "ETH", 18, "Ethereum (Multichain)"),
    token("0x321162Cd933E2Be498Cd2267a90534A804051b11", "BTC", 8, "Bitcoin (Multichain)"),
    token("0x841FAD6EAe12c286d1Fd18d1d525DFfA75C7EFFE", "BOO", 18, "SpookyToken"),
    token("0x28a92dde19D9989F39A49905d7C9C2FAc7799bDf", "lzUSDC", 6, "USD Coin (LayerZero)"),
  ]

  static let cronosTokens: [ListedToken] = [
    token("0xc21223249CA28397B4B6541dfFaEcC539BfF0c59", "USDC", 6, "USD Coin"),
    token("0x66e428c3f67a68878562e79A0234c1F83c208770", "USDT", 6, "Tether USD"),
    token("0xF2001B145b43032AAF5Ee2884e456CCd805F677D", "DAI", 18, "Dai Stablecoin"),
    token("0xe44Fd7fCb2b1581822D0c862B68222998a0c299a", "WETH", 18, "Wrapped Ether"),
    token("0x062E66477Faf219F25D27dCED647BF57C3107d52", "WBTC", 8, "Wrapped BTC"),
    token("0x5C7F8A570d578ED84E63fdFA7b1eE72dEae1AE23", "WCRO", 18, "Wrapped CRO"),
    token("0x2D03bECE6747ADC00E1a131BBA1469C15fD11e03", "VVS", 18, "VVS Finance"),
  ]
}
