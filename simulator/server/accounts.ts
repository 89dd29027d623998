/** Spotify's accounts service: tokens for an application's id and secret. */
import express, { type Router } from 'express';
import { type Answer, jsonAnswer, send } from './answers.ts';
import type { Context } from './context.ts';

export function accountsRouter(context: Context): Router {
  const router = express.Router();
  router.post('/api/token', express.urlencoded({ extended: false }), (req, res) => {
    send(res, answerOf(context, req.get('authorization'), req.body));
  });
  return router;
}

function answerOf(context: Context, authorization: string | undefined, form: unknown): Answer {
  const { credentials, tokenSeconds } = context.live;
  const given = credentialsOf(authorization);
  if (!given || (credentials && given.id !== credentials.id))
    return refuse('invalid_client', 'Invalid client');
  if (credentials && given.secret !== credentials.secret) {
    return refuse('invalid_client', 'Invalid client secret');
  }
  if ((form as Record<string, unknown> | undefined)?.['grant_type'] !== 'client_credentials') {
    return refuse('unsupported_grant_type', 'grant_type must be client_credentials');
  }
  const access_token = context.tokens.give(tokenSeconds);
  return jsonAnswer(200, { access_token, token_type: 'Bearer', expires_in: tokenSeconds });
}

/** @returns null where there is no id or no secret */
function credentialsOf(authorization: string | undefined): { id: string; secret: string } | null {
  const encoded = /^Basic (\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  const [, id, secret] = /^([^:]+):(.+)$/.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  return id && secret ? { id, secret } : null;
}

function refuse(error: string, description: string): Answer {
  return jsonAnswer(400, { error, error_description: description });
}
