/** What a person can put right: the command line prints its message alone, and ends with exit code 1. */
export class UserError extends Error {
  override readonly name = 'UserError';
}
