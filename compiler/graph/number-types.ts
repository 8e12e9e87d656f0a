// Arithmetic on literal types: `Multiply<16, 49>` is the type 784. Numbers are written in decimal and calculated digit by
// digit, as on paper, so that an image of 224 × 224 is no harder than one of 4. Where an operand is no literal natural
// number, or a result would be negative, the answer is `number`: nothing is known.

/** A digit as a tuple of that length. */
type Units = [
  [],
  [0],
  [0, 0],
  [0, 0, 0],
  [0, 0, 0, 0],
  [0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0, 0],
];
type Tally<D> = D extends keyof Units ? (Units[D] extends 0[] ? Units[D] : []) : [];
type Ten = [...Tally<'9'>, 0];

/** Digits as strings, the last one first; never for what is not a literal natural number. */
type Digits<N extends number> = number extends N ? never : Split<`${N}`>;
type Split<S extends string, Done extends string[] = []> = S extends `${infer D}${infer Rest}`
  ? D extends keyof Units
    ? Split<Rest, [D, ...Done]>
    : never
  : Done;

/** The number of some digits. */
type Join<Ds extends readonly string[], Done extends string = ''> = Ds extends readonly [
  infer D extends string,
  ...infer Rest extends string[],
]
  ? Join<Rest, `${D}${Done}`>
  : Trim<Done> extends `${infer N extends number}`
    ? N
    : number;
type Trim<S extends string> = S extends `0${infer Rest}`
  ? Rest extends ''
    ? '0'
    : Trim<Rest>
  : S extends ''
    ? '0'
    : S;

/** The last digit of a number below 100, and the digit before it. */
type Last<N> = `${N & number}` extends `${infer _}${infer U extends number}` ? `${U}` : `${N & number}`;
type Carry<N> = `${N & number}` extends `${infer T}${infer _ extends number}` ? T : '0';
type Size<T extends 0[]> = T['length'];

type Plus<A extends string[], B extends string[], C extends string = '0'> = A extends [
  infer P,
  ...infer As extends string[],
]
  ? B extends [infer Q, ...infer Bs extends string[]]
    ? PlusDigit<Size<[...Tally<P>, ...Tally<Q>, ...Tally<C>]>, As, Bs>
    : PlusDigit<Size<[...Tally<P>, ...Tally<C>]>, As, []>
  : B extends [infer Q, ...infer Bs extends string[]]
    ? PlusDigit<Size<[...Tally<Q>, ...Tally<C>]>, [], Bs>
    : [C];
type PlusDigit<N, A extends string[], B extends string[]> = [Last<N>, ...Plus<A, B, Carry<N>>];

/** never when the result is negative. */
type Minus<A extends string[], B extends string[], Borrow extends 0[] = []> = A extends [
  infer P,
  ...infer As extends string[],
]
  ? B extends [infer Q, ...infer Bs extends string[]]
    ? MinusDigit<Tally<P>, [...Tally<Q>, ...Borrow], As, Bs>
    : MinusDigit<Tally<P>, Borrow, As, []>
  : B extends []
    ? Borrow extends []
      ? []
      : never
    : B extends ['0', ...infer Bs extends string[]]
      ? Minus<A, Bs, Borrow>
      : never;
type MinusDigit<P extends 0[], Q extends 0[], As extends string[], Bs extends string[]> = P extends [
  ...Q,
  ...infer R extends 0[],
]
  ? Prepend<`${Size<R>}`, Minus<As, Bs>>
  : [...Ten, ...P] extends [...Q, ...infer R extends 0[]]
    ? Prepend<`${Size<R>}`, Minus<As, Bs, [0]>>
    : never;
type Prepend<D extends string, Ds> = [Ds] extends [never] ? never : Ds extends string[] ? [D, ...Ds] : never;

/** As many copies of T as the digit says. */
type Copies<T extends 0[], D> = D extends '0'
  ? []
  : D extends '1'
    ? T
    : D extends '2'
      ? [...T, ...T]
      : D extends '3'
        ? [...T, ...T, ...T]
        : D extends '4'
          ? [...T, ...T, ...T, ...T]
          : D extends '5'
            ? [...T, ...T, ...T, ...T, ...T]
            : D extends '6'
              ? [...T, ...T, ...T, ...T, ...T, ...T]
              : D extends '7'
                ? [...T, ...T, ...T, ...T, ...T, ...T, ...T]
                : D extends '8'
                  ? [...T, ...T, ...T, ...T, ...T, ...T, ...T, ...T]
                  : [...T, ...T, ...T, ...T, ...T, ...T, ...T, ...T, ...T];

type TimesDigit<A extends string[], D, C extends string = '0'> = A extends [
  infer P,
  ...infer As extends string[],
]
  ? TimesStep<Size<[...Copies<Tally<P>, D>, ...Tally<C>]>, As, D>
  : [C];
type TimesStep<N, A extends string[], D> = [Last<N>, ...TimesDigit<A, D, Carry<N>>];

type Times<A extends string[], B extends string[]> = B extends [infer D, ...infer Bs extends string[]]
  ? Plus<TimesDigit<A, D>, ['0', ...Times<A, Bs>]>
  : ['0'];

/** Long division by a tuple, from the first digit on; R is what is left so far, shorter than the divisor. */
type DivideBy<A extends string[], B extends 0[], R extends 0[] = []> = A extends [
  ...infer Rest extends string[],
  infer D,
]
  ? Quotient<[...Copies<R, '9'>, ...R, ...Tally<D>], B> extends [infer Q extends 0[], infer Left extends 0[]]
    ? [...DivideBy<Rest, B, Left>, `${Size<Q>}`]
    : never
  : [];
/** How often B goes into A, and what is left. */
type Quotient<A extends 0[], B extends 0[], Q extends 0[] = []> = A extends [...B, ...infer Left extends 0[]]
  ? Quotient<Left, B, [...Q, 0]>
  : [Q, A];

/** Divisors are written out in units: strides are small. */
type SmallDivisor<N extends number> =
  Digits<N> extends infer D extends string[]
    ? D extends ['0']
      ? never
      : D extends [infer U]
        ? Tally<U>
        : D extends [infer U, infer T]
          ? [...Copies<Tally<T>, '9'>, ...Tally<T>, ...Tally<U>]
          : never
    : never;

export type Add<A extends number, B extends number> = [Digits<A>] extends [never]
  ? number
  : [Digits<B>] extends [never]
    ? number
    : Join<Plus<Digits<A>, Digits<B>>>;

/** A − B, or `number` when that is negative. */
export type Subtract<A extends number, B extends number> = [Digits<A>] extends [never]
  ? number
  : [Digits<B>] extends [never]
    ? number
    : [Minus<Digits<A>, Digits<B>>] extends [never]
      ? number
      : Join<Minus<Digits<A>, Digits<B>>>;

export type Multiply<A extends number, B extends number> = [Digits<A>] extends [never]
  ? number
  : [Digits<B>] extends [never]
    ? number
    : Join<Times<Digits<A>, Digits<B>>>;

/** floor(A / B) for B from 1 to 99, else `number`. */
export type DivideFloor<A extends number, B extends number> = [Digits<A>] extends [never]
  ? number
  : [SmallDivisor<B>] extends [never]
    ? number
    : Join<DivideBy<Digits<A>, SmallDivisor<B>>>;

/** Product of all dimensions. */
export type Product<S extends readonly number[], Done extends number = 1> = number extends S['length']
  ? number
  : S extends readonly [infer D extends number, ...infer Rest extends readonly number[]]
    ? Product<Rest, Multiply<Done, D>>
    : Done;
