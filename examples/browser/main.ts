// The page: trains for some steps, draws, and again, as often as the screen shows a picture. While workers compute, the page is
// free; in one thread a run lets the page have its turn every few milliseconds.

import { drawCurve, drawPlane, placesOfPlane } from './draw.ts';
import { type SpiralNet, spiralNet } from './net.ts';

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;
const toggle = element<HTMLButtonElement>('toggle');
const classes = element<HTMLSelectElement>('classes');
const threads = element<HTMLSelectElement>('threads');
const pace = element<HTMLInputElement>('pace');
const places = placesOfPlane();

/** One training after another; an older one ends at its next look. */
let current: SpiralNet | null = null;
/** What to do between two runs: variables are read and set then. */
let inBetween: ((net: SpiralNet) => Promise<void>) | null = null;
let losses: number[] = [];
let isPaused = false;
let seed = 1;

/** Without isolation there is no memory that threads can share, and so one thread. */
function offerThreads(): void {
  const most = crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 8) : 1;
  for (let n = 1; n <= most; n++) threads.add(new Option(String(n)));
  element('host').textContent = crossOriginIsolated
    ? `This page is isolated: up to ${most} threads may share memory. A net as small as this one gains little from a second.`
    : 'This page is not isolated (its server sends no COOP and COEP headers): it computes in one thread.';
}

async function begin(): Promise<void> {
  const arms = Number(classes.value);
  const net = spiralNet({ classes: arms, threads: Number(threads.value), seed });
  current = net;
  losses = [];
  let ms = 0;
  let steps = 0;
  while (current === net) {
    if (!isPaused) {
      const count = Math.round(10 ** Number(pace.value));
      const start = performance.now();
      const made = await net.train(count);
      // Forgets slowly, so that the rate is that of the last second or so.
      ms = 0.95 * ms + performance.now() - start;
      steps = 0.95 * steps + count;
      if (current === net) losses.push(...Array.from(made));
    }
    const job = inBetween;
    inBetween = null;
    if (job !== null) await job(net).catch(tell);
    if (current === net) await show(net, arms, (1000 * steps) / ms);
    await new Promise(requestAnimationFrame);
  }
  await net.dispose();
}

async function show(net: SpiralNet, arms: number, rate: number): Promise<void> {
  const probabilities = await net.probabilities(places);
  const accuracy = await net.accuracy();
  drawPlane(element('plane'), probabilities, arms, net.points);
  drawCurve(element('curve'), losses);
  element('steps').textContent = String(losses.length);
  // A batch is a few points: the mean of the last ones says more.
  const last = losses.slice(-20);
  element('loss').textContent = (last.reduce((sum, loss) => sum + loss, 0) / last.length).toFixed(4);
  element('accuracy').textContent = `${(100 * accuracy).toFixed(1)} %`;
  element('rate').textContent = Number.isFinite(rate) ? String(Math.round(rate)) : '–';
}

async function save(net: SpiralNet): Promise<void> {
  const bytes = await net.save();
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  link.download = 'spiral.safetensors';
  link.click();
  URL.revokeObjectURL(link.href);
}

/** What an error says stands in the page: it names what to do. */
function tell(error: unknown): void {
  element('host').textContent = String((error as Error).message);
}

offerThreads();
toggle.addEventListener('click', () => {
  isPaused = !isPaused;
  toggle.textContent = isPaused ? 'Go on' : 'Pause';
});
element('again').addEventListener('click', () => {
  seed++;
  begin().catch(tell);
});
for (const select of [classes, threads]) select.addEventListener('change', () => begin().catch(tell));
element('save').addEventListener('click', () => {
  inBetween = save;
});
element('load').addEventListener('change', ({ currentTarget }) => {
  const input = currentTarget as HTMLInputElement;
  const file = input.files?.[0];
  if (file === undefined) return;
  inBetween = async (net) => net.restore(new Uint8Array(await file.arrayBuffer()));
  input.value = '';
});
begin().catch(tell);
