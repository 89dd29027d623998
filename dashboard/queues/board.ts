/**
 * bull-board over all queues. It shows; what it may change is little: rows are the truth, and jobs that
 * are retried, emptied or removed behind their backs leave rows that wait for nothing. So it pauses and
 * resumes, and runs what is delayed at once; the rest is on the pages, which tell rows too.
 */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import type { Session } from '../../producers/session.ts';
import { publicId } from '../../shared/identifiers.ts';
import { type StageName, stageNames, stages } from '../../shared/stages.ts';
import type { Caller } from '../access/caller.ts';
import { createAudit } from '../api/audit.ts';
import { Problem } from '../api/problem.ts';
import { hidingStyle } from './buttons.ts';
import { shortened, told } from './told.ts';

const basePath = '/queues';
/** What of the board changes something and may: pausing, resuming, running at once. */
const mayBeChanged = /^\/api\/queues\/(?:([\w-]+)\/)?(?:[^/]+\/)?(pause|resume|promote)$/;

export function createBoard(session: Session): RequestHandler {
  const boards = { operator: board(session, false), viewer: board(session, true) };
  const audit = createAudit(session.database.prisma, session.log);
  const router = Router();
  router.use((request, response, next) => {
    const caller = response.locals['caller'] as Caller | undefined;
    if (!caller) return sendToSignIn(request, response);
    if (caller.role === 'artist') throw new Problem(403, 'the queues are for viewers and operators');
    if (request.method !== 'GET') {
      const allowed = mayBeChanged.exec(request.path);
      if (caller.role !== 'operator') throw new Problem(403, 'only operators may change a queue');
      if (!allowed) {
        throw new Problem(
          403,
          'this board pauses, resumes and runs what is delayed; retry or dismiss on the page Failures, ' +
            'cancel and change schedules on their pages: there rows and jobs are changed together',
        );
      }
      const [, stage, verb] = allowed;
      response.once('finish', () => {
        void audit.write({
          who: caller.name,
          action: stage ? `POST /queues/{stage}/${verb}` : `PUT /queues/${verb}`,
          target: stage ?? 'all',
          ...{ details: { by: 'bull-board' }, status: response.statusCode, reason: null },
        });
      });
    }
    asOurs(response);
    withoutInsides(response, caller.role);
    return boards[caller.role](request, response, next);
  });
  return router;
}

function board({ queues }: Session, readOnlyMode: boolean): RequestHandler {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(basePath);
  const adapters = stageNames.map((name) => {
    const adapter = new BullMQAdapter(queues.of(name), {
      ...{ readOnlyMode, allowRetries: false },
      description: `${stages[name].does}. Attempts: ${stages[name].attempts}, for ${stages[name].because}`,
      jobDataSchema: z.toJSONSchema(stages[name].payload, { io: 'input' }),
      externalJobUrl: ({ data }) => pageOf(name, data as Record<string, unknown>),
    });
    adapter.setFormatter('data', shortened);
    adapter.setFormatter('returnValue', shortened);
    adapter.setFormatter('progress', shortened);
    return adapter;
  });
  createBullBoard({
    queues: adapters,
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Queues',
        miscLinks: [
          { text: 'Back to the pages', url: '/' },
          { text: 'Failures: retry and dismiss', url: '/failures' },
        ],
        hideDocsLink: true,
        environment: readOnlyMode
          ? { label: 'read-only', color: '#475569', textColor: '#ffffff' }
          : { label: 'operator', color: '#1d4ed8', textColor: '#ffffff' },
      },
    },
  });
  return serverAdapter.getRouter() as RequestHandler;
}

/** The page of what a job is about. */
function pageOf(stage: StageName, payload: Record<string, unknown>): { href: string; displayText: string } {
  const { kind, id, trackId, modelId, batchId, crawlId } = payload as Record<string, number | undefined> & {
    kind?: string;
  };
  const page = (href: string, displayText: string) => ({ href, displayText });
  if (kind === 'song' && id) return page(`/songs/${publicId('song', id)}`, publicId('song', id));
  const track = kind === 'track' ? id : trackId;
  if (track) return page(`/tracks/${publicId('track', track)}`, publicId('track', track));
  if (modelId) return page(`/models/${publicId('model', modelId)}`, publicId('model', modelId));
  if (batchId) return page(`/songs/batch/${publicId('batch', batchId)}`, publicId('batch', batchId));
  if (crawlId) return page(`/crawls/${publicId('crawl', crawlId)}`, publicId('crawl', crawlId));
  return stage === 'schedule' ? page('/schedules', 'schedules') : page('/', 'pipeline');
}

/** A browser is shown where to sign in, a program is told. */
function sendToSignIn(request: Request, response: Response): void {
  if (request.accepts(['html', 'json']) === 'html') response.redirect(303, '/sign-in');
  else throw new Problem(401, 'sign in, or send a token: Authorization: Bearer …');
}

/** The board's page asks for fonts from elsewhere, which these pages do without, and offers what is refused. */
function asOurs(response: Response): void {
  const render = response.render.bind(response) as (view: string, values: object, done: Rendered) => void;
  response.render = ((view: string, values: object = {}) =>
    render(view, values, (error, html) => {
      if (error) throw error;
      const page = html.replace(/<link[^>]*https:\/\/fonts\.googleapis\.com[^>]*>/, '');
      response.send(page.replace('</head>', `${hidingStyle}</head>`));
    })) as typeof response.render;
}

/** All that is told of jobs goes through here. */
function withoutInsides(response: Response, role: Caller['role']): void {
  const json = response.json.bind(response);
  response.json = (body: unknown) => json(told(body, role === 'operator'));
}

type Rendered = (error: Error | null, html: string) => void;
