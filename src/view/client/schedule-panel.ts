// The schedule: a lane for each worker, what it runs and when it waits; predicted, and beneath it measured where there is a
// profile. Waits are red. Spans with a dark edge on top are critical: in their phase everybody waits for that worker.

import { type Context, type Panel, stepsOf } from './context.ts';
import { h, link, replace, table } from './dom.ts';
import { percent, plural, ticks, time } from './format.ts';
import { line } from './memory-panel.ts';
import type { State } from './state.ts';
import { fitText, type Hit, Surface, type View } from './surface.ts';
import { colours, partColour } from './theme.ts';

interface Lane {
  readonly title: string;
  readonly group: 'predicted' | 'measured';
  readonly worker: number;
  readonly spans: readonly LaneSpan[];
}

interface LaneSpan {
  readonly step: number | null;
  /** Nanoseconds. */
  readonly from: number;
  readonly to: number;
  readonly isCritical: boolean;
  readonly phase: number;
}

const laneHeight = 44;
const laneGap = 10;
const axisTop = 30;

export function schedulePanel({ model, store }: Context): Panel {
  const { inspection, entry, stepParts } = model;
  const { schedules, steps } = inspection;
  const { profile } = entry;
  let chosen = schedules.findLastIndex(() => true);
  if (profile !== null)
    chosen = Math.max(
      0,
      schedules.findIndex((s) => s.workers === profile.workers),
    );
  let lanes: readonly Lane[] = [];
  let end = 1;

  const surface = new Surface(
    'Schedule: what each worker runs when. The table below lists the longest waits.',
    {
      zoom: 'x',
      margin: { left: 92, top: 0, right: 20, bottom: 0 },
      extent: () => ({ width: end, height: 1 }),
      draw,
      at: hit,
    },
  );
  const facts = h('span', {});
  const waits = h('div', { class: 'scroll' });

  function build(): void {
    const schedule = schedules[chosen]!;
    lanes = [
      ...schedule.lanes.map(
        (spans, worker): Lane => ({
          title: `worker ${worker}`,
          group: 'predicted',
          worker,
          spans: spans.map((s) => ({ ...s, from: s.fromNs, to: s.toNs })),
        }),
      ),
      ...(profile?.workers === schedule.workers || profile?.workers === activeWorkers(schedule.lanes)
        ? measuredLanes()
        : []),
    ];
    end = Math.max(1, ...lanes.flatMap((l) => l.spans.map((s) => s.to)));
    const waited = (group: Lane['group']): number =>
      lanes
        .filter((l) => l.group === group)
        .flatMap((l) => l.spans)
        .reduce((sum, s) => (s.step === null ? sum + s.to - s.from : sum), 0);
    const parts = [`predicted ${time(schedule.predictedNs)}, waiting ${time(waited('predicted'))}`];
    if (profile !== null) {
      const { totals } = profile;
      parts.push(
        `measured ${time(totals.walkMs * 1e6)} (median of ${plural(profile.runs, 'run')}), lost ${percent(totals.lostShare)}`,
      );
    }
    facts.textContent = parts.join(' · ');
    fillWaits();
  }

  /** Critical is, in each phase, the worker that arrives last. */
  function measuredLanes(): Lane[] {
    const phased = profile!.lanes.map((spans) => {
      let phase = 0;
      return spans.map((s) => {
        const own = { ...s, phase };
        if (s.step === null) phase++;
        return own;
      });
    });
    const arrival = (p: number): number[] =>
      phased.map((spans) =>
        Math.max(0, ...spans.filter((s) => s.phase === p && s.step !== null).map((s) => s.to)),
      );
    const count = Math.max(0, ...phased.flatMap((spans) => spans.map((s) => s.phase))) + 1;
    const slowest = Array.from({ length: count }, (_, p) => {
      const times = arrival(p);
      return times.indexOf(Math.max(...times));
    });
    return phased.map((spans, worker) => ({
      title: `worker ${worker}`,
      group: 'measured',
      worker,
      spans: spans.map((s) => ({
        step: s.step,
        from: s.from * 1e6,
        to: s.to * 1e6,
        phase: s.phase,
        isCritical: s.step !== null && slowest[s.phase] === worker,
      })),
    }));
  }

  /** Who is waited for: the last of the same group to arrive in the phase. */
  function culprit(lane: Lane, span: LaneSpan): { lane: Lane; step: number } | null {
    const others = lanes.filter((l) => l.group === lane.group && l !== lane);
    let found: { lane: Lane; step: number; to: number } | null = null;
    for (const other of others) {
      const last = other.spans.findLast((s) => s.phase === span.phase && s.step !== null);
      if (last !== undefined && (found === null || last.to > found.to))
        found = { lane: other, step: last.step!, to: last.to };
    }
    return found;
  }

  function fillWaits(): void {
    const all = lanes
      .flatMap((lane) => lane.spans.filter((s) => s.step === null).map((span) => ({ lane, span })))
      .sort((a, b) => b.span.to - b.span.from - (a.span.to - a.span.from))
      .slice(0, 40);
    const rows = all.map(({ lane, span }) => {
      const by = culprit(lane, span);
      return [
        `${lane.group} ${lane.title}`,
        String(span.phase),
        time(span.to - span.from),
        by?.lane.title ?? '–',
        by === null ? '–' : link(`${by.step}: ${steps[by.step]!.label}`, () => store.select('step', by.step)),
      ];
    });
    replace(
      waits,
      table('The longest waits', ['who', 'phase', 'waits', 'for', 'which runs step'], rows, [1, 2]),
    );
  }

  function yOf(i: number): number {
    const isMeasured = lanes[i]!.group === 'measured';
    return axisTop + 22 + i * (laneHeight + laneGap) + (isMeasured ? 30 : 0);
  }

  function draw(c: CanvasRenderingContext2D, view: View, width: number, tall: number): void {
    const paint = colours();
    const xOf = (ns: number): number => view.x + ns * view.scaleX;
    const selected = new Set(stepsOf(model, store.state.selection));
    c.textBaseline = 'middle';
    c.font = '11px system-ui, sans-serif';
    c.fillStyle = paint.muted;
    c.textAlign = 'center';
    const [first, last] = [(92 - view.x) / view.scaleX, (width - 20 - view.x) / view.scaleX];
    for (const t of ticks(Math.max(0, first), Math.min(end, last), Math.max(2, width / 120))) {
      c.strokeStyle = paint.line;
      line(c, xOf(t), axisTop - 6, xOf(t), tall, []);
      c.fillText(time(t), xOf(t), axisTop - 16);
    }
    let group = '';
    lanes.forEach((lane, i) => {
      const y = yOf(i);
      if (lane.group !== group) {
        group = lane.group;
        c.textAlign = 'left';
        c.fillStyle = paint.text;
        c.font = '600 12px system-ui, sans-serif';
        c.fillText(group, 10, y - 12);
      }
      c.textAlign = 'right';
      c.font = '11.5px system-ui, sans-serif';
      c.fillStyle = paint.muted;
      c.fillText(lane.title, 84, y + laneHeight / 2);
      c.save();
      c.beginPath();
      c.rect(92, y - 4, width - 112, laneHeight + 8);
      c.clip();
      c.fillStyle = paint.scope;
      c.fillRect(92, y, width - 112, laneHeight);
      for (const span of lane.spans) drawSpan(c, span, xOf(span.from), xOf(span.to), y, width, selected);
      c.restore();
    });
  }

  function drawSpan(
    c: CanvasRenderingContext2D,
    span: LaneSpan,
    x0: number,
    x1: number,
    y: number,
    width: number,
    selected: ReadonlySet<number>,
  ): void {
    if (x1 < 92 || x0 > width) return;
    const paint = colours();
    const wide = Math.max(0.6, x1 - x0);
    if (span.step === null) {
      c.fillStyle = paint.wait;
      c.globalAlpha = 0.8;
      c.fillRect(x0, y + 10, wide, laneHeight - 20);
      c.globalAlpha = 1;
      return;
    }
    const isSelected = selected.has(span.step);
    c.fillStyle = partColour(stepParts[span.step]!);
    c.globalAlpha = selected.size > 0 && !isSelected ? 0.35 : 0.9;
    c.fillRect(x0, y, wide, laneHeight);
    c.globalAlpha = 1;
    if (span.isCritical) {
      c.fillStyle = paint.text;
      c.fillRect(x0, y - 3, wide, 3);
    }
    if (wide > 4) {
      c.strokeStyle = paint.panel;
      c.lineWidth = 1;
      c.strokeRect(x0, y, wide, laneHeight);
    }
    if (isSelected) {
      c.strokeStyle = paint.accent;
      c.lineWidth = 2.5;
      c.strokeRect(x0, y, Math.max(wide, 2), laneHeight);
    }
    if (wide < 34) return;
    c.fillStyle = paint['on-part'];
    c.textAlign = 'left';
    const from = Math.max(x0, 92) + 4;
    c.font = '600 11px system-ui, sans-serif';
    c.fillText(fitText(c, `${span.step}`, x1 - from - 3), from, y + 14);
    c.font = '10.5px system-ui, sans-serif';
    c.fillText(fitText(c, steps[span.step]!.label, x1 - from - 3), from, y + 30);
  }

  function hit(x: number, y: number, view: View): Hit | null {
    const i = lanes.findIndex((_, k) => y >= yOf(k) && y <= yOf(k) + laneHeight);
    const lane = lanes[i];
    if (lane === undefined || x < 92) return null;
    const ns = (x - view.x) / view.scaleX;
    const slack = 2 / view.scaleX;
    const span =
      lane.spans.find((s) => ns >= s.from && ns <= s.to) ??
      lane.spans.find((s) => ns >= s.from - slack && ns <= s.to + slack);
    if (span === undefined) return null;
    if (span.step === null) {
      const by = culprit(lane, span);
      return {
        lines: [
          `waits ${time(span.to - span.from)} at the end of phase ${span.phase}`,
          by === null ? '' : `for ${by.lane.title}, which runs step ${by.step}: ${steps[by.step]!.label}`,
        ].filter((l) => l !== ''),
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

  const which = h(
    'select',
    {
      'aria-label': 'Schedule for how many workers',
      onchange: () => {
        chosen = Number(which.value);
        build();
        surface.fit();
      },
    },
    schedules.map((s, i) => h('option', { value: i }, plural(s.workers, 'worker'))),
  );
  which.value = String(chosen);
  const bar = h(
    'div',
    { class: 'bar' },
    which,
    facts,
    h(
      'span',
      { class: 'legend' },
      h('i', { class: 'box forward' }),
      'forward',
      h('i', { class: 'box backward' }),
      'backward',
      h('i', { class: 'box update' }),
      'update',
      h('i', { class: 'box wait' }),
      'waiting',
      h('i', { class: 'box critical' }),
      'critical path',
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
    const span = lanes[0]?.spans.find((s) => s.step === step) ?? lanes[1]?.spans.find((s) => s.step === step);
    if (step !== undefined && span !== undefined) surface.reveal(span.from, 0, span.to - span.from, 1);
    surface.redraw();
  };
  return { element, show };
}

function activeWorkers(lanes: readonly (readonly { readonly step: number | null }[])[]): number {
  return lanes.filter((spans) => spans.some((s) => s.step !== null)).length;
}
