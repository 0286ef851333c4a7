// A button that goes through the system's theme, light and dark. What is chosen holds for all pages (theme.js).

import { setAttribute } from "./dom.js";

const KEY = "walletpush.theme";
const THEMES = ["system", "light", "dark"];

export function setUpThemeButton(button) {
  let theme = document.documentElement.dataset.theme ?? "system";
  const show = () => {
    setAttribute(button, "aria-label", `Theme: ${theme}`);
    setAttribute(button, "title", `Theme: ${theme}`);
  };
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    show();
  });
  show();
}
