// Who may import whom. Reads the import statements of source files and lists those that go against the one-way street
// src -> compiler -> runtime, that take a package where it does not belong, that would stop a browser from loading the
// file, or that close a cycle. In: paths and texts. Out: one readable line for each violation, in the order of the files.

export interface SourceFile {
  /** From the root of the repository, with forward slashes: `compiler/graph/print.ts`. */
  readonly path: string;
  readonly text: string;
}

/**
 * `static` survives into the emitted JavaScript and runs at load, `type` is erased, `dynamic` runs when it is reached
 * (or names a type: `import('./x.ts').T`), `url` is the entry of a worker: `new URL('./worker.js', import.meta.url)`.
 */
export type ImportKind = 'static' | 'type' | 'dynamic' | 'url';

export interface ImportStatement {
  readonly kind: ImportKind;
  readonly specifier: string;
  readonly line: number;
}

/** What the files below a folder may import, apart from each other and from files without a layer above them. */
interface Layer {
  readonly folder: string;
  readonly below: readonly string[];
}

const layers: readonly Layer[] = [
  { folder: 'src', below: ['compiler', 'runtime'] },
  { folder: 'compiler', below: ['runtime'] },
  { folder: 'runtime', below: [] },
];

/** Each package has a door or two: everything else goes through the files behind it. */
const packages: Readonly<Record<string, string | readonly string[]>> = {
  graphlib: 'compiler/graph/',
  'web-worker': 'runtime/',
  '@bufbuild/protobuf': 'src/onnx/',
  papaparse: 'src/data/',
  fflate: 'src/data/',
  '@swc/wasm-typescript': 'src/cli/',
  commander: 'src/cli/',
  '@dagrejs/dagre': ['src/plot/', 'src/view/client/'],
  '@resvg/resvg-wasm': 'src/plot/',
  vega: 'src/plot/',
  'vega-lite': 'src/plot/',
};

/** A file with this at the start of a line runs in Node alone; the files that browsers load may reach it by `import()`. */
const nodeOnly = /^\/\/ @node-only\b/m;

export function checkImports(files: readonly SourceFile[]): string[] {
  const read = files.map((file) => ({
    path: file.path,
    isNodeOnly: nodeOnly.test(file.text),
    imports: importsOf(file.text),
  }));
  const nodeOnlyPaths = new Set(read.filter((file) => file.isNodeOnly).map((file) => file.path));
  const violations: string[] = [];
  for (const { path, isNodeOnly, imports } of read) {
    for (const statement of imports) {
      const rule = brokenRule(path, statement, isNodeOnly, nodeOnlyPaths);
      if (rule !== undefined) violations.push(`${path}:${statement.line}: '${statement.specifier}': ${rule}`);
    }
  }
  // A type is gone before anything loads, so two files may name each other's types; a dynamic import or a worker
  // starts after its importer has loaded.
  const loads = new Map<string, readonly string[]>();
  for (const { path, imports } of read) {
    const targets = imports.filter(({ kind, specifier }) => kind === 'static' && specifier.startsWith('.'));
    loads.set(
      path,
      targets.map(({ specifier }) => resolve(path, specifier)),
    );
  }
  for (const cycle of cyclesOf(loads)) violations.push(`import cycle: ${cycle.join(' -> ')}`);
  return violations;
}

/** The rule that the statement breaks, in words, or undefined. */
function brokenRule(
  path: string,
  { kind, specifier }: ImportStatement,
  isNodeOnly: boolean,
  nodeOnlyPaths: ReadonlySet<string>,
): string | undefined {
  const layer = layers.find(({ folder }) => path.startsWith(`${folder}/`));
  if (layer === undefined) return undefined;

  if (specifier.startsWith('node:')) {
    if (kind === 'type' || isNodeOnly) return undefined;
    return 'bundlers for browsers see this import: use nodeModule, or begin a line with `// @node-only`';
  }

  if (!specifier.startsWith('.')) {
    const doors = [packages[packageOf(specifier)] ?? []].flat();
    if (doors.length === 0) return `${layer.folder}/ imports no such package`;
    return doors.some((door) => path.startsWith(door))
      ? undefined
      : `only ${doors.join(' and ')} imports this package`;
  }

  const target = resolve(path, specifier);
  const targetFolder = target.split('/', 1)[0] ?? '';
  if (targetFolder !== layer.folder && !layer.below.includes(targetFolder)) {
    const allowed = [layer.folder, ...layer.below].map((folder) => `${folder}/`).join(', ');
    return `${layer.folder}/ imports from ${allowed} and nothing else`;
  }
  if (kind === 'static' && !isNodeOnly && nodeOnlyPaths.has(target)) {
    return 'browsers load this file: reach a @node-only file by import()';
  }
  return undefined;
}

/** `@scope/name/sub` and `name/sub` without `sub`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The path of the source that `specifier` means in the file `from`. A worker's URL names the emitted file: `.js`. */
function resolve(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    // Above the root there is nothing of ours: keep the dots, they match no folder.
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/').replace(/\.js$/, '.ts');
}

/** Disjoint cycles, each closed by its first file; none is left out when every reported one is mended. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const left = new Map(graph);
  for (;;) {
    // What imports nothing that is left is in no cycle; once it is gone, its importers may be free as well.
    for (let size = -1; size !== left.size; ) {
      size = left.size;
      for (const [path, targets] of left) if (!targets.some((target) => left.has(target))) left.delete(path);
    }
    let path = left.keys().next().value;
    if (path === undefined) return cycles;
    // Everything left imports something left, so this walk has to come back to where it has been.
    const walk: string[] = [];
    while (!walk.includes(path)) {
      walk.push(path);
      path = left.get(path)!.find((target) => left.has(target))!;
    }
    const cycle = walk.slice(walk.indexOf(path));
    cycles.push([...cycle, path]);
    for (const member of cycle) left.delete(member);
  }
}

/** Every import in a source text: static, type, export-from, dynamic, and the URL of a worker. */
export function importsOf(text: string): ImportStatement[] {
  const tokens = tokensOf(text);
  const found: ImportStatement[] = [];
  const word = (at: number): string | undefined => (tokens[at]?.isString ? undefined : tokens[at]?.text);
  const add = (kind: ImportKind, at: number): void => {
    const token = tokens[at];
    if (token?.isString) found.push({ kind, specifier: token.text, line: token.line });
  };
  for (let i = 0; i < tokens.length; i++) {
    if (word(i - 1) === '.') continue; // a property that happens to be called import or export
    if (word(i) === 'import') {
      if (word(i + 1) === '(') add('dynamic', i + 2);
      else if (tokens[i + 1]?.isString) add('static', i + 1);
      else if (word(i + 1) !== '.' && word(i + 1) !== ':') {
        add(isTypeOnly(word(i + 1), word(i + 2)) ? 'type' : 'static', afterFrom(i + 1, word, tokens.length));
      }
    } else if (word(i) === 'export') {
      const clause = word(i + 1) === 'type' ? i + 2 : i + 1;
      const end = word(clause) === '{' || word(clause) === '*' ? afterFrom(clause, word, tokens.length) : -1;
      add(clause === i + 2 ? 'type' : 'static', end);
    } else if (word(i) === 'URL' && word(i + 1) === '(' && word(i + 3) === ',' && word(i + 4) === 'import') {
      if (/\.[jt]s$/.test(tokens[i + 2]?.text ?? '')) add('url', i + 2); // else a folder or data, not a module
    }
  }
  return found;
}

/** `import type X`, `import type {`, `import type *`; but `import type from` imports a default called type. */
function isTypeOnly(first: string | undefined, second: string | undefined): boolean {
  return first === 'type' && second !== 'from' && second !== ',';
}

/** The index after the `from` that ends the import clause beginning at `at`; -1 where it has none, as in `export { x };`. */
function afterFrom(at: number, word: (at: number) => string | undefined, end: number): number {
  let depth = 0;
  for (let i = at; i < end; i++) {
    const text = word(i);
    if (text === '{') depth++;
    else if (text === '}') {
      depth--;
      if (depth === 0 && word(i + 1) !== 'from') return -1;
    } else if (depth === 0 && text === 'from') return i + 1;
    else if (text === ';') return -1;
  }
  return -1;
}

interface Token {
  readonly text: string;
  readonly isString: boolean;
  readonly line: number;
}

/** After these words a slash begins a regular expression, after any other word it divides. */
const beforeRegExp = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'else',
  'do',
  'await',
]);

/**
 * Words, strings and punctuation of a TypeScript text; comments, regular expressions and the text of templates are
 * passed over, so that code inside a code generator's string is not taken for ours. A scanner of its own, because
 * TypeScript 7 offers no API to borrow one from.
 */
function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const templateDepths: number[] = [];
  let depth = 0;
  let line = 1;
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text)?.[0];
    if (match === undefined) return undefined;
    at += match.length;
    line += match.split('\n').length - 1;
    return match;
  };
  const takeTemplateText = (): void => {
    take(templateText);
    if (take(templateHole)) templateDepths.push(depth++);
    else take(backquote);
  };
  while (at < text.length) {
    if (take(blank) !== undefined) continue;
    const startLine = line;
    const string = take(stringLiteral);
    if (string !== undefined) {
      tokens.push({ text: string.slice(1, -1), isString: true, line: startLine });
    } else if (take(backquote) !== undefined) {
      takeTemplateText();
      tokens.push({ text: '`', isString: false, line: startLine });
    } else if (text[at] === '/' && mayBeginRegExp(tokens.at(-1)) && take(regExp) !== undefined) {
      tokens.push({ text: '/re/', isString: false, line: startLine });
    } else {
      const piece = take(wordOrMark)!;
      if (piece === '{') depth++;
      if (piece === '}') {
        depth--;
        if (templateDepths.at(-1) === depth) {
          templateDepths.pop();
          takeTemplateText();
          continue;
        }
      }
      tokens.push({ text: piece, isString: false, line: startLine });
    }
  }
  return tokens;
}

// Sticky, so that each of them matches at the scanner's place and nowhere else.
const blank = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const stringLiteral = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const backquote = /`/y;
const templateText = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;
const templateHole = /\$\{/y;
const regExp = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const wordOrMark = /[\p{ID_Continue}$#]+|[\s\S]/uy;

function mayBeginRegExp(previous: Token | undefined): boolean {
  if (previous === undefined) return true;
  if (previous.isString || previous.text === '`') return false;
  if (/^[\p{ID_Continue}$#]/u.test(previous.text)) return beforeRegExp.has(previous.text);
  return previous.text !== ')' && previous.text !== ']' && previous.text !== '}';
}
