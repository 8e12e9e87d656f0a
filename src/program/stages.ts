// What the compiler made of a program, to be looked at: its entries and layers, and each stage as text, as data, as a page.

import {
  checkStage,
  type DumpOptions,
  type DumpStage,
  type Inspection,
  type Timing,
} from '../../compiler/compile.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { fileWriter } from '../callbacks/file.ts';
import type { AppliedLayer } from '../context.ts';
import { describePlan } from '../describe.ts';
import type { DumpOf, Entries, EntryInfo, ViewOptions } from '../program-types.ts';
import { type Dims, dimNames } from '../spec.ts';
import { type Specialisation, title } from '../specialisations.ts';
import { viewPage } from '../view/index.ts';
import { ProgramFiles } from './files.ts';

export abstract class ProgramStages<E extends Entries> extends ProgramFiles<E> {
  /**
   * Text of a stage: `source`, `passes`, `pass:NAME`, `graph`, `kernels`, `plan`, `memory`, `code` (`wat` or `js`), `dot`,
   * `json`. Of one specialisation, which is compiled if need be, or of all that have been compiled. Long texts are cut;
   * with `full` they are whole, and graphs and plans read back. Throws HDL0014, HDL0003 (unknown stage or kernel, nothing
   * to show), HDL0017 (a stage that this target does not have).
   *
   * @example console.log(p.dump('plan', { entry: 'train', dims: { batch: 64 }, full: true }));
   */
  dump(stage: DumpStage, of: DumpOf<E> & DumpOptions = {}): string {
    this.core.checkOpen('dump');
    checkStage(stage, callerLocation());
    const { entry: _entry, dims: _dims, ...options } = of;
    const shown = this.#shown(`dump('${stage}')`, of);
    return shown
      .map((s) => (shown.length === 1 ? '' : `# ${title(s)}\n`) + s.compiled.dump(stage, options))
      .join('\n');
  }

  /**
   * All that a compilation shows of itself, as plain data: graphs, passes, kernels with their code, the plan, memory and
   * schedules. For tools; docs/schema/inspection.json says what is in it. Of one specialisation, as `dump`; of several that
   * have been compiled, the first. Throws as `dump`.
   *
   * @example const { steps, memory } = p.inspect({ entry: 'train', dims: { batch: 64 } });
   */
  inspect(of: DumpOf<E> = {}): Inspection {
    this.core.checkOpen('inspect');
    return this.#shown('inspect', of)[0]!.compiled.inspect();
  }

  /**
   * A page that shows what the compiler made: the graph with its gradient, memory, schedule, roofline, kernels and passes, and
   * of a profile what was measured. One HTML file, which needs no network. Of one specialisation, as `dump`, or of all that
   * have been compiled. With a path, it is written there (in Node). Throws as `dump`; HDL1099 where the viewer was not built.
   *
   * @example
   * const profile = await p.profile('train', feeds);
   * await p.view('train.html', { entry: 'train', dims: { batch: 64 }, profile });
   */
  async view(path?: string, of: DumpOf<E> & ViewOptions = {}): Promise<string> {
    this.core.checkOpen('view');
    const file = path === undefined ? null : fileWriter('view', path, 'call view() without a path');
    const shown = this.#shown('view', of).map((s) => ({
      title: title(s),
      inspection: s.compiled.inspect(),
      fusion: s.compiled.dump('fusion', { full: true }),
      // A profile belongs to the specialisation that was run.
      profile: of.profile && title({ ...of.profile }) === title(s) ? of.profile : null,
    }));
    const html = await viewPage(of.title ?? shown.map((s) => s.title).join(', '), shown);
    await file?.replace(new TextEncoder().encode(html));
    return html;
  }

  /**
   * A few lines about an entry's plan: kernels, barriers, memory, time of each stage. Compiles it if need be. Throws as `dump`.
   *
   * @example console.log(p.describe('train', { batch: 64 }));
   */
  describe(name: keyof E & string, dims: Dims = {}): string {
    this.core.checkOpen('describe an entry');
    const made = this.core.specialisations.compile(
      name,
      this.core.find(name),
      this.core.checkDims(name, dims),
    );
    const { plan } = made.compiled;
    if (plan === null) return `${title(made)}: interpreted`;
    return describePlan(title(made), plan, this.core.engine.threads, made.timings);
  }

  /** Milliseconds of each stage, for each specialisation compiled so far: `trace`, the compiler's, and `load` once it was loaded. */
  get timings(): readonly {
    readonly entry: string;
    readonly dims: Dims;
    readonly stages: readonly Timing[];
  }[] {
    return this.core.specialisations.all().map(({ entry, dims, timings }) => ({
      entry,
      dims,
      stages: timings,
    }));
  }

  /** The entries in the order of declaration, with what they are fed and the named dimensions of that. */
  get entries(): readonly EntryInfo[] {
    return Object.entries(this.core.entries).map(([name, { inputs, training }]) => ({
      name,
      training,
      inputs: Object.entries(inputs).map(([input, { dtype, shape }]) => ({ name: input, dtype, shape })),
      dims: dimNames(inputs),
    }));
  }

  /** The layers that an entry applies, with their outputs, for given sizes; compiles nothing. Throws as `compile`. */
  layers(name: keyof E & string, dims: Dims = {}): readonly AppliedLayer[] {
    this.core.checkOpen('list layers');
    return this.core.declared(name, this.core.checkDims(name, dims)).layers;
  }

  /** The specialisation that is asked for, compiled if need be; or all that have been compiled. */
  #shown(what: string, of: DumpOf<E>): Specialisation[] {
    if (of.entry !== undefined) {
      const names = dimNames(this.core.find(of.entry).inputs);
      if (of.dims !== undefined || names.length === 0) {
        const dims = this.core.checkDims(of.entry, of.dims ?? {});
        return [this.core.specialisations.compile(of.entry, this.core.find(of.entry), dims)];
      }
    }
    const shown = this.core.specialisations
      .all()
      .filter((s) => of.entry === undefined || s.entry === of.entry);
    if (shown.length > 0) return shown;
    const call = what.replace(/\)$/, '');
    throw compilerError('HDL0003', {
      what: `${what}${of.entry === undefined ? '' : ` of entry '${of.entry}'`}`,
      rule: 'nothing has been compiled yet',
      hint: `say for which sizes: ${call}${call === what ? '(' : ', '}{ entry: '${Object.keys(this.core.entries)[0]}', dims: { … } })`,
      loc: callerLocation(),
    });
  }
}
