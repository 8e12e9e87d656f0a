// The schedule: a lane for each worker, what it runs and when it waits; predicted, and beneath it measured where there is a
// profile. Waits are red. Spans with an edge on top are critical: in their phase everybody waits for that worker.

import { type Context, type Panel, stepsOf } from './context.ts';
import { h, legend, link, replace, table } from './dom.ts';
import { percent, plural, ticks, time } from './format.ts';
import { culpritOf, type Group, type Lane, type LaneSpan, lanesOf } from './lanes.ts';
import { line } from './memory-panel.ts';
import type { State } from './state.ts';
import { fitName, type Hit, Surface, type View } from './surface.ts';
import { colours, partColour } from './theme.ts';

const left = 92;
const right = 20;
const groupHead = 46;
const laneGap = 12;

export function schedulePanel({ model, store }: Context): Panel {
  const { inspection, entry, stepParts } = model;
  const { schedules, steps } = inspection;
  const { profile } = entry;
  let chosen = schedules.length - 1;
  if (profile !== null)
    chosen = Math.max(
      0,
      schedules.findIndex((s) => s.workers === profile.workers),
    );
  let lanes: readonly Lane[] = [];
  let isSameScale = false;
  /** Length of each group's run: the world is as wide as 1. */
  const ends = new Map<Group, number>();

  const surface = new Surface(
    'Schedule: what each worker runs when. The table below lists the longest waits.',
    {
      zoom: 'x',
      margin: { left, top: 0, right, bottom: 0 },
      extent: () => ({ width: 1, height: 1 }),
      draw,
      at: hit,
    },
  );
  const facts = h('span', {});
  const waits = h('div', { class: 'scroll' });

  function build(): void {
    lanes = lanesOf(entry, chosen);
    ends.clear();
    for (const { group, spans } of lanes)
      ends.set(group, Math.max(ends.get(group) ?? 1, ...spans.map((s) => s.to)));
    if (isSameScale) {
      const longest = Math.max(...ends.values());
      for (const group of [...ends.keys()]) ends.set(group, longest);
    }
    const waited = (group: Group): number =>
      lanes
        .filter((l) => l.group === group)
        .flatMap((l) => l.spans)
        .reduce((sum, s) => (s.step === null ? sum + s.to - s.from : sum), 0);
    const texts = [`predicted ${time(schedules[chosen]!.predictedNs)}, waiting ${time(waited('predicted'))}`];
    if (profile !== null && ends.has('measured')) {
      const { walkMs, lostShare } = profile.totals;
      texts.push(
        `measured ${time(walkMs * 1e6)} (median of ${plural(profile.runs, 'run')}), ${percent(lostShare)} lost`,
      );
    }
    facts.textContent = texts.join(' · ');
    fillWaits();
  }

  function fillWaits(): void {
    const all = lanes
      .flatMap((lane) => lane.spans.filter((s) => s.step === null).map((span) => ({ lane, span })))
      .sort((a, b) => b.span.to - b.span.from - (a.span.to - a.span.from))
      .slice(0, 40);
    const rows = all.map(({ lane, span }) => {
      const by = culpritOf(lanes, lane, span);
      return [
        `${lane.group} ${lane.title}`,
        String(span.phase),
        time(span.to - span.from),
        by?.lane.title ?? 'the barrier itself',
        by === null ? '–' : link(`${by.step}: ${steps[by.step]!.label}`, () => store.select('step', by.step)),
      ];
    });
    const header = ['who', 'phase', 'waits', 'for', 'which runs step'];
    replace(waits, table('The longest waits', header, rows, [1, 2]));
  }

  /** Lanes share the height that there is. */
  function laneHeight(): number {
    const room = surface.size.height - groupHead * ends.size - 8;
    return Math.min(84, Math.max(26, room / Math.max(1, lanes.length) - laneGap));
  }

  function yOf(i: number): number {
    const groups = lanes[i]!.group === 'measured' ? 2 : 1;
    return groups * groupHead + i * (laneHeight() + laneGap);
  }

  function draw(c: CanvasRenderingContext2D, view: View, width: number): void {
    const paint = colours();
    const selected = new Set(stepsOf(model, store.state.selection));
    const high = laneHeight();
    c.textBaseline = 'middle';
    lanes.forEach((lane, i) => {
      const y = yOf(i);
      if (lanes[i - 1]?.group !== lane.group) drawAxis(c, view, width, lane.group, y);
      c.textAlign = 'right';
      c.font = '11.5px system-ui, sans-serif';
      c.fillStyle = paint.muted;
      c.fillText(lane.title, left - 8, y + high / 2);
      c.save();
      c.beginPath();
      c.rect(left, y - 4, width - left - right, high + 8);
      c.clip();
      c.fillStyle = paint.scope;
      c.fillRect(left, y, width - left - right, high);
      const scale = view.scaleX / ends.get(lane.group)!;
      for (const span of lane.spans)
        drawSpan(c, span, view.x + span.from * scale, view.x + span.to * scale, y, high, width, selected);
      c.restore();
    });
  }

  function drawAxis(c: CanvasRenderingContext2D, view: View, width: number, group: Group, y: number): void {
    const paint = colours();
    c.textAlign = 'left';
    c.fillStyle = paint.text;
    c.font = '600 12.5px system-ui, sans-serif';
    c.fillText(group, 12, y - 26);
    c.font = '11px system-ui, sans-serif';
    c.fillStyle = paint.muted;
    c.strokeStyle = paint.line;
    c.lineWidth = 1;
    c.textAlign = 'center';
    const end = ends.get(group)!;
    const scale = view.scaleX / end;
    const [first, last] = [(left - view.x) / scale, (width - right - view.x) / scale];
    for (const t of ticks(Math.max(0, first), Math.min(end, last), Math.max(2, width / 130))) {
      const x = view.x + t * scale;
      line(c, x, y - 8, x, y - 2, []);
      c.fillText(t === 0 ? '0' : time(t), x, y - 16);
    }
  }

  function drawSpan(
    c: CanvasRenderingContext2D,
    span: LaneSpan,
    x0: number,
    x1: number,
    y: number,
    high: number,
    width: number,
    selected: ReadonlySet<number>,
  ): void {
    if (x1 < left || x0 > width) return;
    const paint = colours();
    const wide = Math.max(0.6, x1 - x0);
    if (span.step === null) {
      c.fillStyle = paint.wait;
      c.globalAlpha = 0.85;
      c.fillRect(x0, y + high / 4, wide, high / 2);
      c.globalAlpha = 1;
      return;
    }
    const isSelected = selected.has(span.step);
    c.fillStyle = partColour(stepParts[span.step]!);
    c.globalAlpha = selected.size > 0 && !isSelected ? 0.35 : 0.9;
    c.fillRect(x0, y, wide, high);
    c.globalAlpha = 1;
    if (span.isCritical) {
      c.fillStyle = paint.text;
      c.fillRect(x0, y - 3, wide, 3);
    }
    if (wide > 4) {
      c.strokeStyle = paint.panel;
      c.lineWidth = 1;
      c.strokeRect(x0, y, wide, high);
    }
    if (isSelected) {
      c.strokeStyle = paint.accent;
      c.lineWidth = 2.5;
      c.strokeRect(x0, y, Math.max(wide, 2), high);
    }
    if (wide < 26) return;
    c.fillStyle = selected.size > 0 && !isSelected ? paint.text : paint['on-part'];
    c.textAlign = 'left';
    const from = Math.max(x0, left) + 4;
    c.font = '600 11px system-ui, sans-serif';
    c.fillText(fitName(c, `${span.step}`, x1 - from - 3), from, y + high / 2 - 8);
    c.font = '10.5px system-ui, sans-serif';
    c.fillText(
      fitName(c, steps[span.step]!.label.replace(/:.*$/, ''), x1 - from - 3),
      from,
      y + high / 2 + 7,
    );
  }

  function hit(x: number, y: number, view: View): Hit | null {
    const high = laneHeight();
    const lane = lanes[lanes.findIndex((_, k) => y >= yOf(k) && y <= yOf(k) + high)];
    if (lane === undefined || x < left) return null;
    const scale = view.scaleX / ends.get(lane.group)!;
    const ns = (x - view.x) / scale;
    const slack = 2 / scale;
    const span =
      lane.spans.find((s) => ns >= s.from && ns <= s.to) ??
      lane.spans.find((s) => ns >= s.from - slack && ns <= s.to + slack);
    if (span === undefined) return null;
    if (span.step === null) {
      const by = culpritOf(lanes, lane, span);
      const whom = by === null ? 'the barrier itself' : `${by.lane.title}, which runs step ${by.step}`;
      return {
        lines: [`waits ${time(span.to - span.from)} at the end of phase ${span.phase}`, `for ${whom}`],
        ...(by !== null && { click: () => store.select('step', by.step) }),
      };
    }
    return {
      lines: [
        `step ${span.step}: ${steps[span.step]!.label}`,
        `${time(span.to - span.from)} on ${lane.title}, ${lane.group}${span.isCritical ? '; critical in its phase' : ''}`,
      ],
      click: () => store.select('step', span.step!),
    };
  }

  const rebuild = (): void => {
    build();
    surface.fit();
  };
  const which = h(
    'select',
    {
      'aria-label': 'Schedule for how many workers',
      onchange: () => {
        chosen = Number(which.value);
        rebuild();
      },
    },
    schedules.map((s, i) => h('option', { value: i }, plural(s.workers, 'worker'))),
  );
  which.value = String(chosen);
  const same = h('input', {
    type: 'checkbox',
    onchange: () => {
      isSameScale = same.checked;
      rebuild();
    },
  });
  const bar = h(
    'div',
    { class: 'bar' },
    which,
    facts,
    profile === null ? null : h('label', {}, same, 'one scale'),
    legend(
      ['forward', 'forward'],
      ['backward', 'backward'],
      ['update', 'update'],
      ['wait', 'waiting'],
      ['critical', 'critical path'],
    ),
    h('button', { type: 'button', onclick: () => surface.fit() }, 'fit'),
  );
  const element = h(
    'div',
    { class: 'panel' },
    bar,
    surface.element,
    h(
      'details',
      { class: 'below', open: true },
      h('summary', {}, 'The longest waits: what waits for what'),
      waits,
    ),
  );
  build();
  const show = ({ selection }: State): void => {
    const [step] = stepsOf(model, selection);
    for (const { spans, group } of lanes) {
      const span = spans.find((s) => s.step === step);
      if (span === undefined) continue;
      const end = ends.get(group)!;
      surface.reveal(span.from / end, 0, (span.to - span.from) / end, 1);
      break;
    }
    surface.redraw();
  };
  return { element, show };
}
