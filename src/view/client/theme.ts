// Light or dark, and colours: CSS variables, read again when the theme changes, since a canvas does not follow them by itself.

import type { Part } from './model.ts';

const names = [
  'bg', 'panel', 'text', 'muted', 'line', 'edge', 'accent', 'wait', 'bound', 'peak',
  'forward', 'backward', 'update', 'leaf', 'scope', 'scope-open', 'region', 'on-part', 'node',
] as const; // biome-ignore format: a list

export type Colours = Readonly<Record<(typeof names)[number], string>>;

let current: Colours | null = null;
const listeners: (() => void)[] = [];

export function colours(): Colours {
  if (current === null) {
    const style = getComputedStyle(document.documentElement);
    current = Object.fromEntries(
      names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    ) as unknown as Colours;
  }
  return current;
}

export function partColour(part: Part): string {
  return colours()[part];
}

export function onThemeChange(listener: () => void): void {
  listeners.push(listener);
}

function changed(): void {
  current = null;
  for (const listener of listeners) listener();
}

export function isDark(): boolean {
  return document.documentElement.dataset['theme'] === 'dark';
}

function show(theme: 'light' | 'dark'): void {
  document.documentElement.dataset['theme'] = theme;
  changed();
}

/** Whether the user asked for a theme, by the button. */
let isChosen = false;

export function toggleTheme(): void {
  isChosen = true;
  show(isDark() ? 'light' : 'dark');
}

/** Shows what the system wishes, and follows it until the user chooses. */
export function watchTheme(): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const follow = (): void => {
    if (!isChosen) show(system.matches ? 'dark' : 'light');
  };
  system.addEventListener('change', follow);
  follow();
}
