// Augmentation as a stage: one field of each element is a picture, and is transformed, on this thread or by a loader.

import { compilerError } from '../../../compiler/graph/errors.ts';
import { applyTransforms, type Pictures } from '../augment/apply.ts';
import type { PictureShape, Transform } from '../augment/transform.ts';
import { Loader } from '../loader/loader.ts';
import { isShaped, isTyped } from './elements.ts';
import type { Stage } from './stage.ts';
import { mapped } from './transforms.ts';

export interface AugmentSettings {
  readonly field: string;
  readonly seed: number;
  readonly worker: boolean;
}

type Element = Readonly<Record<string, unknown>>;
type Picture = Pick<Pictures, 'data' | 'shape'>;

/** Pictures that are sent to the loader at a time, how many such pieces it has before the first is waited for, and for how long it stays. */
const piece = 32;
const piecesAhead = 2;
const idleMs = 1000;

export function augmented(
  from: Stage<Element>,
  transforms: readonly Transform[],
  { field, seed, worker }: AugmentSettings,
): Stage<Element> {
  if (worker) return byLoader(from, new Loader(transforms, seed), field);
  return mapped(
    from,
    (element, { index, epoch }) => {
      const { data, shape } = pictureOf(element, field);
      const made = applyTransforms(transforms, seed, { data, shape, index, epoch });
      return { ...element, [field]: { data: made, shape } };
    },
    seed,
  );
}

function byLoader(from: Stage<Element>, loader: Loader, field: string): Stage<Element> {
  let readers = 0;
  let idle: ReturnType<typeof setTimeout> | undefined;
  const transform = async (
    elements: readonly Element[],
    pictures: readonly Picture[],
    place: Pick<Pictures, 'index' | 'epoch'>,
  ): Promise<Element[]> => {
    const { data: first, shape } = pictures[0]!;
    const size = first.length;
    // A copy of just these pictures, since it leaves this thread.
    const data = new (first.constructor as Uint8ArrayConstructor)(size * pictures.length);
    pictures.forEach((p, i) => {
      data.set(p.data, i * size);
    });
    const made = await loader.augment({ data, shape, ...place });
    return elements.map((element, i) => ({
      ...element,
      [field]: { data: made.subarray(i * size, (i + 1) * size), shape },
    }));
  };
  return {
    size: from.size,
    at: null,
    rows: null,
    batch: null,
    async *open(epoch, start) {
      readers++;
      clearTimeout(idle);
      const asked: Promise<Element[]>[] = [];
      let index = start;
      let elements: Element[] = [];
      let pictures: Picture[] = [];
      const send = (): void => {
        const job = transform(elements, pictures, { index, epoch });
        // Whoever awaits it hears of a failure; until then it is nobody's.
        job.catch(() => {});
        asked.push(job);
        index += elements.length;
        elements = [];
        pictures = [];
      };
      try {
        for await (const element of from.open(epoch, start)) {
          const picture = pictureOf(element, field);
          const [like] = pictures;
          const isOther = like !== undefined && !isAlike(like, picture);
          if (isOther || elements.length === piece) send();
          elements.push(element);
          pictures.push(picture);
          if (asked.length > piecesAhead) yield* await asked.shift()!;
        }
        if (elements.length > 0) send();
        while (asked.length > 0) yield* await asked.shift()!;
      } finally {
        readers--;
        if (readers === 0) {
          // The next epoch comes soon; a thread that nobody needs goes.
          idle = setTimeout(() => void loader.close(), idleMs);
          (idle as { unref?: () => void }).unref?.();
        }
      }
    },
  };
}

function isAlike(a: Picture, b: Picture): boolean {
  return a.shape.join() === b.shape.join() && a.data.constructor === b.data.constructor;
}

function pictureOf(element: Element, field: string): Picture {
  const value = typeof element === 'object' && element !== null ? element[field] : undefined;
  if (isShaped(value) && value.shape.length === 3) {
    const { data } = value;
    const shape = value.shape as PictureShape;
    if (data instanceof Uint8Array || data instanceof Float32Array) return { data, shape };
    return { data: Float32Array.from(data as readonly number[]), shape };
  }
  const is = isShaped(value)
    ? `has shape [${value.shape.join(', ')}]`
    : isTyped(value)
      ? `is ${value.length} numbers without a shape`
      : `is ${value === undefined ? 'missing' : `a ${typeof value}`}`;
  throw compilerError('HDL0016', {
    what: `augment of '${field}', which ${is}`,
    rule: 'a picture is { data, shape: [channels, height, width] }',
    hint: 'give the columns their shape: Dataset.from({ x: { data: images, shape: [count, channels, height, width] }, y })',
  });
}
