// What a person can put right by typing something else: a flag, a folder, a file. Examples print its message as one line,
// without a stack trace, and exit with code 1.

export class InputError extends Error {
  override readonly name = 'InputError';
}
