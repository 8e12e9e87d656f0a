// A canvas that can be moved and scaled: by dragging, by the wheel, by keys. The owner draws in its own coordinates and says
// what lies under a point. Draws at most once per frame, and only when something has changed.

import { h } from './dom.ts';
import { onThemeChange } from './theme.ts';

export interface View {
  /** Screen = world · scale + offset, in CSS pixels. */
  readonly x: number;
  readonly y: number;
  readonly scaleX: number;
  readonly scaleY: number;
}

export interface Drawing {
  readonly draw: (context: CanvasRenderingContext2D, view: View, width: number, height: number) => void;
  /** What lies at a point of the screen: for tooltips and clicks. */
  readonly at: (x: number, y: number, view: View) => Hit | null;
  /** Extent of the world, which `fit` shows. */
  readonly extent: () => { readonly width: number; readonly height: number };
  /** Which directions may be scaled; both are scaled alike when both may. */
  readonly zoom: 'both' | 'x';
  /** Screen pixels around the world that are kept free when it is fitted. */
  readonly margin: {
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
  };
  /** Largest scale of `fit`. */
  readonly fitMost?: number;
}

export interface Hit {
  readonly lines: readonly string[];
  readonly click?: () => void;
}

export class Surface {
  readonly element: HTMLDivElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #tip: HTMLDivElement;
  readonly #drawing: Drawing;
  #view: View = { x: 0, y: 0, scaleX: 1, scaleY: 1 };
  #isAsked = false;
  #isFitted = true;

  constructor(label: string, drawing: Drawing) {
    this.#drawing = drawing;
    this.#canvas = h('canvas', { tabindex: 0, role: 'img', 'aria-label': label });
    this.#tip = h('div', { class: 'tip', hidden: true });
    this.element = h('div', { class: 'surface' }, this.#canvas, this.#tip);
    this.#listen();
    new ResizeObserver(() => (this.#isFitted ? this.fit() : this.redraw())).observe(this.element);
    onThemeChange(() => this.redraw());
  }

  get view(): View {
    return this.#view;
  }

  get size(): { readonly width: number; readonly height: number } {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  /** Shows all of the world. */
  fit(): void {
    const { left, top, right, bottom } = this.#drawing.margin;
    const { width, height } = this.size;
    const extent = this.#drawing.extent();
    const roomX = Math.max(1, width - left - right);
    const roomY = Math.max(1, height - top - bottom);
    const scaleX = roomX / Math.max(1e-9, extent.width);
    const scaleY = roomY / Math.max(1e-9, extent.height);
    if (this.#drawing.zoom === 'x') {
      this.#view = { x: left, y: top, scaleX, scaleY };
    } else {
      const scale = Math.min(scaleX, scaleY, this.#drawing.fitMost ?? 1);
      this.#view = {
        x: left + (roomX - extent.width * scale) / 2,
        y: top + Math.max(0, (roomY - extent.height * scale) / 2),
        scaleX: scale,
        scaleY: scale,
      };
    }
    this.#isFitted = true;
    this.redraw();
  }

  /** Moves a place of the world into sight, scaled so that it can be read. */
  reveal(x: number, y: number, width: number, height: number, least = 0): void {
    const { width: w, height: t } = this.size;
    const both = this.#drawing.zoom === 'both';
    const scaleX = Math.max(this.#view.scaleX, least);
    const scaleY = both ? scaleX : this.#view.scaleY;
    const left = x * scaleX + this.#view.x;
    const top = y * scaleY + this.#view.y;
    const isSeen =
      scaleX === this.#view.scaleX &&
      left >= 0 &&
      left + width * scaleX <= w &&
      (!both || (top >= 0 && top + height * scaleY <= t));
    if (isSeen) return;
    this.#view = {
      scaleX,
      scaleY,
      x: w / 2 - (x + width / 2) * scaleX,
      y: both ? t / 2 - (y + height / 2) * scaleY : this.#view.y,
    };
    this.#isFitted = false;
    this.redraw();
  }

  /** Keeps a point of the world where it is while the world changes around it. */
  pin(change: () => readonly [before: [x: number, y: number], after: [x: number, y: number]]): void {
    const [before, after] = change();
    const { x, y, scaleX, scaleY } = this.#view;
    this.#view = {
      ...this.#view,
      x: x + (before[0] - after[0]) * scaleX,
      y: y + (before[1] - after[1]) * scaleY,
    };
    this.#isFitted = false;
    this.redraw();
  }

  redraw(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      this.#paint();
    });
  }

  zoom(factor: number, atX = this.size.width / 2, atY = this.size.height / 2): void {
    const { x, y, scaleX, scaleY } = this.#view;
    const next = Math.min(Math.max(scaleX * factor, this.#least()), this.#most());
    const f = next / scaleX;
    const both = this.#drawing.zoom === 'both';
    this.#view = {
      x: atX - (atX - x) * f,
      y: both ? atY - (atY - y) * f : y,
      scaleX: next,
      scaleY: both ? scaleY * f : scaleY,
    };
    this.#isFitted = false;
    this.redraw();
  }

  pan(dx: number, dy: number): void {
    const { x, y } = this.#view;
    this.#view = { ...this.#view, x: x + dx, y: this.#drawing.zoom === 'both' ? y + dy : y };
    this.#isFitted = false;
    this.redraw();
  }

  #least(): number {
    const extent = this.#drawing.extent();
    return Math.min(0.02, this.size.width / 4 / Math.max(1, extent.width));
  }

  #most(): number {
    return this.#drawing.zoom === 'both' ? 4 : 1e9;
  }

  #paint(): void {
    const { width, height } = this.size;
    if (width === 0 || height === 0) return;
    const ratio = devicePixelRatio;
    const [w, t] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== w || this.#canvas.height !== t) {
      this.#canvas.width = w;
      this.#canvas.height = t;
    }
    const context = this.#canvas.getContext('2d')!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.#drawing.draw(context, this.#view, width, height);
  }

  #listen(): void {
    const canvas = this.#canvas;
    let from: { x: number; y: number; moved: boolean } | null = null;
    canvas.addEventListener('pointerdown', (e) => {
      if (e.button !== 0) return;
      from = { x: e.offsetX, y: e.offsetY, moved: false };
      canvas.setPointerCapture(e.pointerId);
    });
    canvas.addEventListener('pointermove', (e) => {
      if (from === null) {
        this.#showTip(e.offsetX, e.offsetY);
        return;
      }
      const [dx, dy] = [e.offsetX - from.x, e.offsetY - from.y];
      if (!from.moved && Math.hypot(dx, dy) < 4) return;
      from = { x: e.offsetX, y: e.offsetY, moved: true };
      this.#tip.hidden = true;
      canvas.style.cursor = 'grabbing';
      this.pan(dx, dy);
    });
    canvas.addEventListener('pointerup', (e) => {
      const wasMoved = from?.moved ?? true;
      from = null;
      canvas.style.cursor = '';
      if (!wasMoved) this.#drawing.at(e.offsetX, e.offsetY, this.#view)?.click?.();
    });
    canvas.addEventListener('pointerleave', () => {
      this.#tip.hidden = true;
    });
    canvas.addEventListener(
      'wheel',
      (e) => {
        e.preventDefault();
        const unit = e.deltaMode === 1 ? 30 : 1;
        if (e.shiftKey) this.pan(-(e.deltaX + e.deltaY) * unit, 0);
        else this.zoom(Math.exp(-e.deltaY * unit * 0.0015), e.offsetX, e.offsetY);
      },
      { passive: false },
    );
    canvas.addEventListener('keydown', (e) => {
      const act = keys[e.key];
      if (act === undefined || e.ctrlKey || e.metaKey || e.altKey) return;
      e.preventDefault();
      act(this);
    });
  }

  #showTip(x: number, y: number): void {
    const hit = this.#drawing.at(x, y, this.#view);
    this.#canvas.style.cursor = hit?.click ? 'pointer' : '';
    this.#tip.hidden = hit === null || hit.lines.length === 0;
    if (hit === null) return;
    this.#tip.replaceChildren(
      ...hit.lines.map((line, i) => (i === 0 ? h('strong', {}, line) : h('div', {}, line))),
    );
    const { width, height } = this.size;
    const [w, t] = [this.#tip.offsetWidth, this.#tip.offsetHeight];
    this.#tip.style.left = `${Math.max(4, Math.min(x + 14, width - w - 6))}px`;
    this.#tip.style.top = `${y + 18 + t > height ? Math.max(4, y - t - 8) : y + 18}px`;
  }
}

const stride = 60;
const keys: Readonly<Record<string, (surface: Surface) => void>> = {
  ArrowLeft: (s) => s.pan(stride, 0),
  ArrowRight: (s) => s.pan(-stride, 0),
  ArrowUp: (s) => s.pan(0, stride),
  ArrowDown: (s) => s.pan(0, -stride),
  '+': (s) => s.zoom(1.25),
  '=': (s) => s.zoom(1.25),
  '-': (s) => s.zoom(0.8),
  '0': (s) => s.fit(),
};

/** A text that fits a width, with an ellipsis where it is cut; empty where nothing fits. */
export function fitText(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let [least, most] = [0, text.length];
  while (least < most) {
    const middle = (least + most + 1) >> 1;
    if (context.measureText(`${text.slice(0, middle)}…`).width <= width) least = middle;
    else most = middle - 1;
  }
  return least < 2 ? '' : `${text.slice(0, least)}…`;
}

/** A path that fits a width, without its first scopes where it is too long: the end tells more. */
export function fitName(context: CanvasRenderingContext2D, name: string, width: number): string {
  if (context.measureText(name).width <= width) return name;
  const words = name.split('/');
  for (let i = 1; i < words.length; i++) {
    const rest = `…/${words.slice(i).join('/')}`;
    if (context.measureText(rest).width <= width) return rest;
  }
  return fitText(context, words.at(-1)!, width);
}
