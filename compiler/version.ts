/** The version of this package: part of every key and of every inspection. */
export const compilerVersion = '0.1.0';
