/** What a browser may do with an answer of ours, and from where it may have been asked for. */
import type { Request, RequestHandler } from 'express';
import helmet from 'helmet';
import { Problem } from '../api/problem.ts';
import { namesThisMachine } from './loopback.ts';

const none = ["'none'"];
const self = ["'self'"];

/** @param baseUri where a page may have its relative addresses begin */
const policy = (styleSrc: readonly string[], baseUri: readonly string[]) => ({
  useDefaults: false,
  directives: {
    defaultSrc: none,
    scriptSrc: self,
    styleSrc: [...styleSrc],
    imgSrc: [...self, 'data:', 'blob:'],
    mediaSrc: [...self, 'blob:'],
    fontSrc: [...self, 'data:'],
    connectSrc: self,
    formAction: self,
    frameAncestors: none,
    baseUri: [...baseUri],
  },
});

/**
 * Security headers. The queues' board draws with style attributes and names its base: there, and there alone,
 * they are taken.
 * @param keepsHttps whether the browser that asks is told never to come without https
 */
export function securityHeaders(keepsHttps: (request: Request) => boolean): RequestHandler {
  const headers = (styleSrc: readonly string[], baseUri: readonly string[]) =>
    helmet({
      contentSecurityPolicy: policy(styleSrc, baseUri),
      strictTransportSecurity: false,
      xFrameOptions: { action: 'deny' },
      referrerPolicy: { policy: 'same-origin' },
    });
  const strict = headers(self, none);
  const board = headers([...self, "'unsafe-inline'"], self);
  return (request, response, next) => {
    if (keepsHttps(request)) response.set('Strict-Transport-Security', `max-age=${180 * 24 * 3600}`);
    const isBoard = /^\/queues(\/|$)/i.test(request.path);
    (isBoard ? board : strict)(request, response, next);
  };
}

/** Where no password is asked for, only this machine's own names lead here, and no proxy. */
export function ownNamesOnly(accountsExist: () => Promise<boolean>): RequestHandler {
  return async (request, _response, next) => {
    const forwarded = ['forwarded', 'x-forwarded-for', 'x-forwarded-host'].some((name) => request.get(name));
    if (!forwarded && namesThisMachine(request.headers.host)) return next();
    if (await accountsExist()) return next();
    throw new Problem(
      403,
      'without accounts these pages are for this machine alone, under 127.0.0.1 or localhost: ' +
        'hiphop accounts add makes an account',
    );
  };
}
