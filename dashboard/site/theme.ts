/** Light, dark, or as the system has it. */
import { storage } from './storage.ts';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const key = 'theme';

/** As public/theme.js has set it before anything was drawn. */
export function currentTheme(): Theme {
  const current = document.documentElement.dataset['theme'];
  return themes.find((theme) => theme === current) ?? 'system';
}

export function applyTheme(theme: Theme): void {
  if (theme === 'system') storage('localStorage')?.removeItem(key);
  else storage('localStorage')?.setItem(key, theme);
  document.documentElement.dataset['theme'] = theme;
  document.dispatchEvent(new Event('themechange'));
}
