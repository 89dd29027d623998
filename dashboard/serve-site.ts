/** The pages: files that Vite built. Every address that is no file is a page of the one application. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import compression from 'compression';
import express, { type Express, type RequestHandler } from 'express';
import { packageRoot } from '../shared/paths.ts';
import { Problem } from './api/problem.ts';

const folder = join(packageRoot, 'dist', 'site');
const yearSeconds = 365 * 24 * 3600;

export function mountSite(app: Express): void {
  const index = join(folder, 'index.html');
  if (!existsSync(index)) throw new Error('the pages are not built: npm run build');
  // Their names hold a hash of their content.
  app.use(
    '/assets',
    compression(),
    express.static(join(folder, 'assets'), { immutable: true, maxAge: yearSeconds * 1000 }),
    missing,
  );
  app.use(express.static(folder, { index: false, redirect: false }));
  app.get(/^\/(?!api|queues|metrics)/, (_request, response) => {
    response.set('Cache-Control', 'no-cache').sendFile(index);
  });
  app.use(missing);
}

const missing: RequestHandler = (request) => {
  throw new Problem(404, `there is no ${request.baseUrl}${request.path}`);
};
