/** bull-board over all queues. */
import { type RequestHandler, Router } from 'express';
import type { Session } from '../../producers/session.ts';

export function createBoard(_session: Session): RequestHandler {
  return Router();
}
