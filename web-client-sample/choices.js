// What this browser has chosen for all pages: theme and language. Storage may be missing or full: then a choice lasts as
// long as its page.

import { bestLanguage, language, setLanguage, t, translatePage } from "./i18n.js";
import { setAttribute } from "./dom.js";

const THEME = "walletpush.theme";
const LANGUAGE = "walletpush.language";
const THEMES = ["system", "light", "dark"];

export function remember(name, text) {
  try {
    localStorage.setItem(name, text);
  } catch {
    // Not remembered, then.
  }
}

/** The language chosen here, else the browser's. */
function readLanguage() {
  try {
    return bestLanguage([localStorage.getItem(LANGUAGE), ...navigator.languages]);
  } catch {
    return bestLanguage(navigator.languages);
  }
}

/**
 * Says the page in the language chosen, and has the buttons of its bar choose theme (for theme.js to read) and language.
 * `relabel()`: what the code has said is to be said anew.
 */
export function setUpChoices(themeButton, languageButton, relabel) {
  setLanguage(readLanguage());
  const say = () => {
    translatePage();
    const label = t("theme.label", { theme: t(`theme.${readTheme()}`) });
    setAttribute(themeButton, "aria-label", label);
    setAttribute(themeButton, "title", label);
  };
  themeButton.addEventListener("click", () => {
    writeTheme(THEMES[(THEMES.indexOf(readTheme()) + 1) % THEMES.length]);
    say();
  });
  languageButton.addEventListener("click", () => {
    setLanguage(language() === "en" ? "zh" : "en");
    remember(LANGUAGE, language());
    say();
    relabel();
  });
  say();
}

/** "light", "dark" or "system". */
function readTheme() {
  return document.documentElement.dataset.theme ?? "system";
}

function writeTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  remember(THEME, theme);
}
