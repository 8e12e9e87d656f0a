// Unique JavaScript identifiers for names of the IR: `loss/softmax` becomes `loss_softmax`, a second one `loss_softmax2`.

const reserved = new Set(
  (
    'break case catch class const continue debugger default delete do else enum export extends false finally for function ' +
    'if import in instanceof new null return super switch this throw true try typeof var void while with yield let static ' +
    'await async eval arguments undefined NaN Infinity Math memory'
  ).split(' '),
);

export class Names {
  readonly #taken: Set<string>;

  /** `taken` are names that must not be given. */
  constructor(taken: readonly string[] = []) {
    this.#taken = new Set([...reserved, ...taken]);
  }

  unique(name: string): string {
    const cleaned = name.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^_+|_+$/g, '') || 'x';
    const base = /^[0-9]/.test(cleaned) ? `_${cleaned}` : cleaned;
    let id = base;
    for (let n = 2; this.#taken.has(id); n++) id = /[0-9]$/.test(base) ? `${base}_${n}` : `${base}${n}`;
    this.#taken.add(id);
    return id;
  }
}
