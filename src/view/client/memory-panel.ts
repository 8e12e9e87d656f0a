// The memory map: time across, addresses up, every buffer of the arena a rectangle. The dashed line is the lower bound: no
// placement is lower. The thin curve is how much is alive, and the marked step is where that is most.

import { type Context, type Panel, stepsOf } from './context.ts';
import { h, legend, link, replace, table } from './dom.ts';
import { bytes, ticks } from './format.ts';
import type { State } from './state.ts';
import { fitName, type Hit, Surface, type View } from './surface.ts';
import { colours, partColour } from './theme.ts';

export function memoryPanel({ model, store }: Context): Panel {
  const { inspection, stepParts } = model;
  const { memory, buffers, steps } = inspection;
  const count = steps.length;
  const shown = buffers.flatMap((b, i) => (b.offset === null ? [] : [{ b, i, offset: b.offset }]));
  const height = Math.max(1, memory.arenaBytes, memory.lowerBound);
  // Positions: −1 is before the first step, `count` after the last.
  const at = (step: number): number => step + 1;
  const peak = memory.peakStep;
  const atPeak = shown
    .filter(({ b }) => b.bytes > 0 && b.from! <= peak && b.to! >= peak)
    .sort((x, y) => y.b.bytes - x.b.bytes);

  const surface = new Surface(
    'Memory map: buffers by step and address. The table below says what lies at the peak.',
    {
      zoom: 'x',
      margin: { left: 74, top: 30, right: 20, bottom: 40 },
      extent: () => ({ width: count + 2, height }),
      draw,
      at: hit,
    },
  );

  function yOf(address: number, view: View): number {
    return view.y + (height - address) * view.scaleY;
  }

  function colourOf(i: number): string {
    const b = buffers[i]!;
    if (b.home === 'input') return colours().leaf;
    return partColour(stepParts[Math.min(Math.max(0, b.from!), count - 1)] ?? 'forward');
  }

  function draw(c: CanvasRenderingContext2D, view: View, width: number, tall: number): void {
    const paint = colours();
    const xOf = (position: number): number => view.x + position * view.scaleX;
    const { selection } = store.state;
    const chosenSteps = new Set(stepsOf(model, selection));
    const chosenBuffers = new Set(
      selection?.kind === 'buffer' ? [selection.id] : [...chosenSteps].flatMap((s) => steps[s]!.args),
    );
    c.save();
    c.beginPath();
    c.rect(74, 0, width - 94, tall);
    c.clip();
    for (const { b, i, offset } of shown) {
      if (b.bytes === 0) continue;
      const [x0, x1] = [xOf(at(b.from!)), xOf(at(b.to!) + 1)];
      if (x1 < 70 || x0 > width) continue;
      const [y0, y1] = [yOf(offset + b.bytes, view), yOf(offset, view)];
      const isChosen = chosenBuffers.has(i);
      const isFaint = chosenBuffers.size > 0 && !isChosen;
      c.globalAlpha = isFaint ? 0.25 : b.isCopy ? 0.55 : 0.82;
      c.fillStyle = colourOf(i);
      c.fillRect(x0, y0, Math.max(1, x1 - x0), Math.max(0.5, y1 - y0));
      c.globalAlpha = 1;
      if (y1 - y0 > 2 && x1 - x0 > 2) {
        c.strokeStyle = isChosen ? paint.text : paint.panel;
        c.lineWidth = isChosen ? 2 : 0.75;
        c.strokeRect(x0, y0, x1 - x0, y1 - y0);
      }
      if (y1 - y0 > 13 && x1 - x0 > 60) {
        c.fillStyle = isFaint ? paint.muted : b.home === 'input' ? paint.text : paint['on-part'];
        c.font = '11px system-ui, sans-serif';
        c.textAlign = 'left';
        c.textBaseline = 'middle';
        const from = Math.max(x0, 74) + 5;
        c.fillText(fitName(c, b.name, x1 - from - 4), from, (y0 + y1) / 2);
      }
    }
    drawLive(c, view, xOf);
    for (const s of chosenSteps) {
      c.fillStyle = paint.accent;
      c.globalAlpha = 0.25;
      c.fillRect(xOf(at(s)), 24, Math.max(1, view.scaleX), tall - 64);
      c.globalAlpha = 1;
    }
    const peakX = xOf(at(peak) + 0.5);
    c.strokeStyle = paint.peak;
    c.lineWidth = 1.5;
    line(c, peakX, 18, peakX, tall - 38, [2, 2]);
    c.fillStyle = paint.peak;
    c.font = '600 11.5px system-ui, sans-serif';
    c.textBaseline = 'middle';
    c.textAlign = peakX > width - 260 ? 'right' : 'left';
    c.fillText(
      `peak at ${stepName(peak)}: ${bytes(memory.live[at(peak)] ?? 0)}`,
      peakX + (peakX > width - 260 ? -6 : 6),
      11,
    );
    c.restore();
    drawAxes(c, view, width, tall, xOf);
  }

  /** The sum of what is alive, from the bottom. */
  function drawLive(c: CanvasRenderingContext2D, view: View, xOf: (p: number) => number): void {
    c.beginPath();
    memory.live.forEach((live, p) => {
      const y = yOf(live, view);
      if (p === 0) c.moveTo(xOf(p), y);
      else c.lineTo(xOf(p), y);
      c.lineTo(xOf(p + 1), y);
    });
    c.strokeStyle = colours().text;
    c.lineWidth = 1.25;
    c.stroke();
  }

  function drawAxes(
    c: CanvasRenderingContext2D,
    view: View,
    width: number,
    tall: number,
    xOf: (p: number) => number,
  ): void {
    const paint = colours();
    c.font = '11px system-ui, sans-serif';
    c.fillStyle = paint.muted;
    c.strokeStyle = paint.line;
    c.lineWidth = 1;
    c.textBaseline = 'middle';
    c.textAlign = 'right';
    const unit = height > 4 * 1024 ** 2 ? 1024 ** 2 : height > 4096 ? 1024 : 1;
    const unitName = unit === 1 ? 'B' : unit === 1024 ? 'KiB' : 'MiB';
    for (const y of ticks(0, height / unit, 6)) c.fillText(`${y} ${unitName}`, 68, yOf(y * unit, view));
    const bound = yOf(memory.lowerBound, view);
    c.strokeStyle = paint.bound;
    c.lineWidth = 2;
    line(c, 74, bound, width - 20, bound, [7, 4]);
    c.textAlign = 'center';
    c.fillStyle = paint.muted;
    const bottom = tall - 38;
    c.strokeStyle = paint.line;
    line(c, 74, bottom, width - 20, bottom, []);
    const [first, last] = [(74 - view.x) / view.scaleX, (width - 20 - view.x) / view.scaleX];
    for (const s of ticks(Math.max(0, first - 1), Math.min(count - 1, last - 1), Math.max(2, width / 90))) {
      if (!Number.isInteger(s)) continue;
      const x = xOf(at(s) + 0.5);
      if (x > 74 && x < width - 20) c.fillText(String(s), x, bottom + 11);
    }
    c.fillText('step', (74 + width - 20) / 2, bottom + 27);
  }

  function hit(x: number, y: number, view: View): Hit | null {
    const position = (x - view.x) / view.scaleX;
    const address = height - (y - view.y) / view.scaleY;
    const found = shown.findLast(
      ({ b, offset }) =>
        position >= at(b.from!) &&
        position <= at(b.to!) + 1 &&
        address >= offset &&
        address <= offset + b.bytes,
    );
    if (found === undefined) return null;
    const { b, i, offset } = found;
    return {
      lines: [
        b.name,
        `${b.type}, ${bytes(b.bytes)} at ${bytes(offset)}${b.isCopy ? '; computed again' : ''}`,
        `${stepName(b.from!)} to ${stepName(b.to!)}`,
      ],
      click: () => store.select('buffer', i),
    };
  }

  function stepName(s: number): string {
    if (s < 0) return 'before the first step';
    return s >= count ? 'after the last step' : `step ${s}`;
  }

  const above = (100 * memory.arenaBytes) / Math.max(1, memory.lowerBound) - 100;
  const rows = atPeak
    .slice(0, 40)
    .map(({ b, i }) => [
      link(b.name, () => store.select('buffer', i)),
      bytes(b.bytes),
      stepName(b.from!),
      stepName(b.to!),
    ]);
  const bar = h(
    'div',
    { class: 'bar' },
    h('span', {}, h('b', {}, 'arena '), bytes(memory.arenaBytes)),
    h(
      'span',
      {},
      h('i', { class: 'line bound' }),
      `lower bound ${bytes(memory.lowerBound)} (arena ${above.toFixed(1)} % above)`,
    ),
    h('span', {}, h('b', {}, 'variables '), bytes(memory.variableBytes)),
    h('span', {}, h('b', {}, 'constants '), bytes(memory.constantBytes)),
    peak >= 0 && peak < count ? link(`peak at step ${peak}`, () => store.select('step', peak)) : null,
    legend(
      ['line alive', 'alive'],
      ['box leaf', 'input'],
      ['box forward', 'forward'],
      ['box backward', 'backward'],
      ['box update', 'update'],
    ),
    h('button', { type: 'button', onclick: () => surface.fit() }, 'fit'),
  );
  const below = h(
    'details',
    { class: 'below' },
    h('summary', {}, `What lies in the arena at its peak (${atPeak.length} buffers)`),
    h('div', { class: 'scroll' }),
  );
  replace(
    below.querySelector('.scroll')!,
    table('Buffers at the peak', ['buffer', 'bytes', 'from', 'to'], rows, [1]),
  );
  const element = h('div', { class: 'panel' }, bar, surface.element, below);
  const show = ({ selection }: State): void => {
    const [first] =
      selection?.kind === 'buffer' ? [buffers[selection.id]?.from ?? undefined] : stepsOf(model, selection);
    if (first !== undefined) surface.reveal(at(first), 0, 1, height);
    surface.redraw();
  };
  return { element, show };
}

export function line(
  c: CanvasRenderingContext2D,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  dash: number[],
): void {
  c.setLineDash(dash);
  c.beginPath();
  c.moveTo(x0, y0);
  c.lineTo(x1, y1);
  c.stroke();
  c.setLineDash([]);
}
