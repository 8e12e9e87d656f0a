// How figures look: two themes, for light and dark pages. Colours of classes are those of Okabe and Ito (2008), which people with
// any colour vision tell apart; on dark ground the darkest are lighter. Text and lines reach a contrast of 4.5 with the ground.

export type ThemeName = 'light' | 'dark';

export type Rgb = readonly [red: number, green: number, blue: number];

export interface Theme {
  readonly name: ThemeName;
  readonly ground: string;
  readonly text: string;
  readonly faint: string;
  readonly grid: string;
  /** What went wrong: a frame around a picture. */
  readonly alarm: string;
  /** Of classes and curves, in order. */
  readonly colors: readonly string[];
  /** From one end over the middle to the other: of values around a middle. */
  readonly diverging: readonly [string, string, string];
  /** From few to many. */
  readonly sequential: readonly [string, string];
}

export const themes: Readonly<Record<ThemeName, Theme>> = {
  light: {
    name: 'light',
    ground: '#ffffff',
    text: '#1f2328',
    faint: '#59636e',
    grid: '#d8dee4',
    alarm: '#c8102e',
    colors: [
      '#0072b2',
      '#d55e00',
      '#009e73',
      '#b5589a',
      '#b58900',
      '#3f9fd8',
      '#6b4fa0',
      '#5f6b76',
      '#8c3b12',
      '#2f6b3a',
    ],
    diverging: ['#2f7fc1', '#f7f7f5', '#d8752b'],
    sequential: ['#eef3f8', '#0b5394'],
  },
  dark: {
    name: 'dark',
    ground: '#0d1117',
    text: '#e6edf3',
    faint: '#9da7b1',
    grid: '#30363d',
    alarm: '#ff7b8a',
    colors: [
      '#56b4e9',
      '#f0883e',
      '#2fbf93',
      '#dd8fc0',
      '#e5c14a',
      '#8ab8ff',
      '#b79df0',
      '#a6b1bb',
      '#d98a5f',
      '#8fcf7f',
    ],
    diverging: ['#3f8fd0', '#1b2027', '#e0813a'],
    sequential: ['#161f2b', '#79b8ff'],
  },
};

/** `#0072b2` as numbers from 0 to 255. */
export function rgbOf(color: string): Rgb {
  const n = Number.parseInt(color.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

/** A colour between two; at 0 the first. */
export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  const at = (i: 0 | 1 | 2): number => Math.round(a[i] + (b[i] - a[i]) * share);
  return [at(0), at(1), at(2)];
}

/** So many colours along a row of colours, evenly. */
export function ramp(colors: readonly string[], count: number): Rgb[] {
  const stops = colors.map(rgbOf);
  return Array.from({ length: count }, (_, i) => {
    const at = (i / (count - 1)) * (stops.length - 1);
    const from = Math.min(Math.floor(at), stops.length - 2);
    return mix(stops[from]!, stops[from + 1]!, at - from);
  });
}
