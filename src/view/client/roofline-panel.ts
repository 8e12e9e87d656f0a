// The roofline: how fast each kernel is against how much it computes per byte. Under the slope memory is the limit, under the
// flat roof arithmetic. Measured where there is a profile, else as predicted; the area of a point is its share of the time.

import { type Context, type Panel, stepsOf } from './context.ts';
import { h, legend, link, table } from './dom.ts';
import { count, percent, time } from './format.ts';
import { line } from './memory-panel.ts';
import type { State } from './state.ts';
import { type Hit, Surface, type View } from './surface.ts';
import { colours, partColour } from './theme.ts';

interface Point {
  readonly kernel: number;
  readonly name: string;
  readonly intensity: number;
  readonly gflops: number;
  readonly ns: number;
  readonly share: number;
  /** Of the roof above it. */
  readonly reached: number;
}

export function rooflinePanel({ model, store }: Context): Panel {
  const { inspection, entry, stepParts } = model;
  const { kernels, machine } = inspection;
  const { profile } = entry;
  const workers = profile?.workers ?? 1;
  const peak = machine.flopsPerNs * workers;
  const far = machine.bytesPerNs * workers;
  const near = machine.nearBytesPerNs * workers;
  const roof = (intensity: number): number => Math.min(peak, near * intensity);

  const timed = kernels.map(({ steps, calls, predictedNs }) =>
    profile === null
      ? calls * predictedNs
      : steps.reduce((sum, s) => sum + (profile.steps[s]?.ms ?? 0) * 1e6, 0),
  );
  const total = timed.reduce((a, b) => a + b, 0);
  const points = kernels.flatMap((k, i): Point[] => {
    const ns = timed[i]!;
    if (k.flops === 0 || k.bytes === 0 || !(ns > 0)) return [];
    const intensity = k.flops / k.bytes;
    const gflops = (k.flops * k.calls) / ns;
    return [
      {
        kernel: i,
        name: k.name,
        intensity,
        gflops,
        ns,
        share: ns / total,
        reached: gflops / roof(intensity),
      },
    ];
  });
  points.sort((a, b) => b.share - a.share);

  const log = Math.log10;
  const least = Math.floor(log(Math.min(0.1, ...points.map((p) => p.intensity))) - 0.1);
  const most = Math.ceil(log(Math.max(10, ...points.map((p) => p.intensity))) + 0.1);
  const lowest = Math.floor(log(Math.max(1e-3, Math.min(peak / 100, ...points.map((p) => p.gflops)))));
  const highest = log(Math.max(peak, ...points.map((p) => p.gflops)) * 1.9);

  const surface = new Surface('Roofline of kernels. The table below lists them.', {
    zoom: 'x',
    margin: { left: 64, top: 20, right: 24, bottom: 44 },
    extent: () => ({ width: most - least, height: highest - lowest }),
    draw,
    at: hit,
  });
  const xOf = (intensity: number, view: View): number => view.x + (log(intensity) - least) * view.scaleX;
  const yOf = (gflops: number, view: View): number => view.y + (highest - log(gflops)) * view.scaleY;
  const radius = (p: Point): number => Math.max(3.5, 44 * Math.sqrt(p.share));

  function draw(c: CanvasRenderingContext2D, view: View, width: number, tall: number): void {
    const paint = colours();
    const [left, right, bottom] = [64, width - 24, tall - 44];
    c.font = '11px system-ui, sans-serif';
    c.textBaseline = 'middle';
    for (let e = Math.ceil(lowest); e <= highest; e++) {
      const y = yOf(10 ** e, view);
      c.strokeStyle = paint.line;
      c.lineWidth = 1;
      line(c, left, y, right, y, []);
      c.fillStyle = paint.muted;
      c.textAlign = 'right';
      c.fillText(label(10 ** e), left - 6, y);
    }
    for (let e = least; e <= most; e++) {
      const x = xOf(10 ** e, view);
      if (x < left - 1 || x > right + 1) continue;
      c.strokeStyle = paint.line;
      line(c, x, 20, x, bottom, []);
      c.fillStyle = paint.muted;
      c.textAlign = 'center';
      c.fillText(label(10 ** e), x, bottom + 12);
    }
    c.fillText('operations per byte', (left + right) / 2, bottom + 30);
    c.save();
    c.translate(14, (20 + bottom) / 2);
    c.rotate(-Math.PI / 2);
    c.fillText(`GFLOP/s, ${profile === null ? 'predicted' : 'measured'}`, 0, 0);
    c.restore();
    c.save();
    c.beginPath();
    c.rect(left, 0, right - left, bottom);
    c.clip();
    ceiling(c, view, near, 'near cache', paint.bound);
    ceiling(c, view, far, 'memory', paint.accent);
    c.strokeStyle = paint.text;
    c.lineWidth = 2;
    line(c, xOf(peak / near, view), yOf(peak, view), right, yOf(peak, view), []);
    c.fillStyle = paint.text;
    c.textAlign = 'right';
    c.fillText(
      `arithmetic ${peak.toFixed(0)} GFLOP/s, ${workers} worker${workers === 1 ? '' : 's'}`,
      right - 6,
      yOf(peak, view) - 9,
    );
    const chosen = new Set(stepsOf(model, store.state.selection));
    for (const p of points) {
      const isChosen = kernels[p.kernel]!.steps.some((s) => chosen.has(s));
      c.beginPath();
      c.arc(xOf(p.intensity, view), yOf(p.gflops, view), radius(p), 0, 2 * Math.PI);
      c.fillStyle = partColour(stepParts[kernels[p.kernel]!.steps[0]!]!);
      c.globalAlpha = chosen.size > 0 && !isChosen ? 0.3 : 0.72;
      c.fill();
      c.globalAlpha = 1;
      c.strokeStyle = isChosen ? paint.accent : paint.panel;
      c.lineWidth = isChosen ? 3 : 1;
      c.stroke();
    }
    c.fillStyle = paint['on-part'];
    c.textAlign = 'center';
    c.font = '600 11px system-ui, sans-serif';
    const labelled: { readonly x: number; readonly y: number }[] = [];
    for (const p of points.slice(0, 12)) {
      const at = { x: xOf(p.intensity, view), y: yOf(p.gflops, view) };
      const isFaint = chosen.size > 0 && !kernels[p.kernel]!.steps.some((s) => chosen.has(s));
      if (isFaint || radius(p) < 9 || labelled.some((l) => Math.hypot(l.x - at.x, l.y - at.y) < 16)) continue;
      labelled.push(at);
      c.fillText(String(p.kernel), at.x, at.y);
    }
    c.restore();
  }

  function ceiling(
    c: CanvasRenderingContext2D,
    view: View,
    rate: number,
    name: string,
    colour: string,
  ): void {
    const ridge = peak / rate;
    c.strokeStyle = colour;
    c.lineWidth = 2;
    line(
      c,
      xOf(10 ** (least - 1), view),
      yOf(rate * 10 ** (least - 1), view),
      xOf(ridge, view),
      yOf(peak, view),
      [],
    );
    // Beside the slope, below its upper end.
    const at = ridge / 6;
    c.fillStyle = colour;
    c.save();
    c.translate(xOf(at, view), yOf(rate * at, view));
    c.rotate(-Math.atan2(view.scaleY, view.scaleX));
    c.textAlign = 'right';
    c.fillText(`${name} ${rate.toFixed(0)} GB/s`, 0, -9);
    c.restore();
  }

  function hit(x: number, y: number, view: View): Hit | null {
    const near = points
      .filter((p) => Math.hypot(xOf(p.intensity, view) - x, yOf(p.gflops, view) - y) <= radius(p) + 2)
      .sort((a, b) => a.share - b.share);
    const [p] = near;
    if (p === undefined) return null;
    return {
      lines: [
        `kernel ${p.kernel}: ${p.name}`,
        `${p.gflops.toFixed(2)} GFLOP/s at ${p.intensity.toFixed(2)} operations per byte: ${percent(p.reached)} of the roof`,
        `${time(p.ns)}, ${percent(p.share)} of the time`,
      ],
      click: () => store.select('kernel', p.kernel),
    };
  }

  const rows = points
    .slice(0, 60)
    .map((p) => [
      link(`${p.kernel}: ${p.name}`, () => store.select('kernel', p.kernel)),
      time(p.ns),
      percent(p.share),
      p.intensity.toFixed(2),
      p.gflops.toFixed(2),
      percent(p.reached),
    ]);
  const rest = kernels.filter((k) => k.flops === 0).length;
  const bar = h(
    'div',
    { class: 'bar' },
    h(
      'span',
      {},
      profile === null
        ? 'predicted by the cost model; with a profile, measured'
        : `measured, median of ${profile.runs} runs on ${workers} workers`,
    ),
    h(
      'span',
      { class: 'muted' },
      `${points.length} kernels; ${rest} more only move data (${count(kernels.length)} in all)`,
    ),
    legend(['box forward', 'forward'], ['box backward', 'backward'], ['box update', 'update']),
    h('button', { type: 'button', onclick: () => surface.fit() }, 'fit'),
  );
  const list = table(
    'Kernels by time',
    ['kernel', 'time', 'share', 'operations per byte', 'GFLOP/s', 'of the roof'],
    rows,
    [1, 2, 3, 4, 5],
  );
  const element = h(
    'div',
    { class: 'panel' },
    bar,
    surface.element,
    h(
      'details',
      { class: 'below', open: true },
      h('summary', {}, 'Kernels by time'),
      h('div', { class: 'scroll' }, list),
    ),
  );
  return { element, show: (_: State) => surface.redraw() };
}

function label(x: number): string {
  return x >= 1 ? String(Math.round(x)) : String(Number(x.toPrecision(1)));
}
