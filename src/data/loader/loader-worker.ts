// Entry of the loader's worker: transforms pictures that it is sent, and sends them back. It keeps nothing. Every error of its own becomes
// a message, because an error thrown in a worker reaches nobody in some hosts.

import { HeddleError } from '../../../runtime/errors.ts';
import { applyTransforms } from '../augment/apply.ts';
import type { FromLoader, ToLoader } from './protocol.ts';

const scope = self;
if (scope !== undefined) {
  const send = (message: FromLoader, transfer: readonly ArrayBuffer[] = []): void =>
    scope.postMessage(message, transfer);
  scope.onmessage = ({ data }) => {
    const message = data as ToLoader;
    if (message.type === 'stop') {
      scope.close();
      return;
    }
    const { id, transforms, seed, pictures } = message;
    try {
      const made = applyTransforms(transforms, seed, pictures);
      send({ type: 'done', id, data: made }, [made.buffer as ArrayBuffer]);
    } catch (error) {
      const isOurs = error instanceof HeddleError;
      send({
        type: 'failed',
        id,
        message: String((error as Error).message),
        code: isOurs ? error.code : null,
        parts: isOurs ? error.parts : null,
      });
    }
  };
  send({ type: 'ready' });
}
