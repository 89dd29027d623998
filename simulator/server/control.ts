/** What the real world does not offer: looking behind the scenes, and changing the weather. */
import express, { type Router } from 'express';
import { reasonOf, UserError } from '../../shared/errors.ts';
import { appealOf } from '../style.ts';
import { jsonAnswer, send } from './answers.ts';
import type { Context } from './context.ts';
import type { SimulatorStatistics } from './statistics.ts';

export interface ControlActions {
  statistics(): SimulatorStatistics;
  /** @throws UserError when it is not a change that can be made */
  change(settings: unknown): void;
}

export function controlRouter({ world }: Context, actions: ControlActions): Router {
  const router = express.Router();
  router.get('/simulator/health', (_req, res) => {
    send(res, jsonAnswer(200, { ok: true, tracks: world.tracks, seed: world.seed }));
  });
  router.get('/simulator/statistics', (_req, res) => send(res, jsonAnswer(200, actions.statistics())));
  router.post('/simulator/settings', express.json(), (req, res) => {
    try {
      actions.change(req.body);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return send(res, jsonAnswer(400, { error: reasonOf(error) }));
    }
    send(res, jsonAnswer(200, { ok: true }));
  });
  router.get('/simulator/truth/:id', (req, res) => {
    const index = world.find(req.params.id);
    if (index === null) return send(res, jsonAnswer(404, { error: 'no such track' }));
    const { id, title, isrc, popularity, recording } = world.track(index);
    const style = world.style(recording);
    send(res, jsonAnswer(200, { id, title, isrc, popularity, recording, style, appeal: appealOf(style) }));
  });
  router.get('/simulator/market/:code', (req, res) => {
    const { total } = world.search('genre:hip-hop', { market: req.params.code, operators: 'honoured' });
    send(res, jsonAnswer(200, { inMarket: total }));
  });
  return router;
}
