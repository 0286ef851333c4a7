// Runs before the first paint (a plain script in the head), so that a chosen theme does not flash.
(function () {
  try {
    const theme = localStorage.getItem("walletpush.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Without storage the system's preference stands.
  }
})();
