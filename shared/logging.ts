import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.ts';
import { logLines } from './metrics/log-lines.ts';

export type { Logger };

type LoggingConfig = Pick<Config, 'logLevel'> & Partial<Config>;

/**
 * A logger on standard error (standard output is for answers): pretty on a terminal, else JSON lines. What
 * it writes is kept for the database too, where `startReporting` brings it.
 */
export function createLogger(config: LoggingConfig, name: string, unasked: 'info' | 'warn' = 'info'): Logger {
  const options = {
    name,
    level: config.logLevel ?? unasked,
    redact: secretNames.flatMap((name) => [name, `*.${name}`]),
  };
  const destination: DestinationStream = process.stderr.isTTY
    ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname' })
    : pino.destination({ fd: 2, sync: true });
  const redact = redactor(secretsOf(config));
  return pino(options, {
    write: (line) => {
      const redacted = redact(line);
      destination.write(redacted);
      logLines.take(redacted);
    },
  });
}

/** What is named so is never logged. */
export const secretNames = [
  ...['DATABASE_URL', 'REDIS_URL', 'SESSION_SECRET', 'SPOTIFY_CLIENT_SECRET'],
  ...['databaseUrl', 'redisUrl', 'spotifyClientSecret'],
  ...['password', 'token', 'secret', 'authorization', 'cookie', 'clientSecret', 'sessionSecret'],
];

/** What of the settings must never be read in a log. */
function secretsOf({ databaseUrl, redisUrl, outside, dashboard }: Partial<Config>): string[] {
  const secrets = [
    ...[databaseUrl, redisUrl].flatMap(passwordsOf),
    ...[outside?.spotifyClientSecret, dashboard?.sessionSecret],
  ];
  return secrets.filter((secret): secret is string => secret !== undefined && secret.length >= leastSecret);
}

/** The password of an address, as it is written there and as it is meant. */
function passwordsOf(url: string | undefined): string[] {
  const { password } = new URL(url ?? 'none:');
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

/** A shorter secret would be found in every other word, in characters. */
const leastSecret = 6;

/**
 * Takes out of a line what is secret wherever it stands, e.g. in the words of somebody else's error:
 * passwords of addresses, tokens, and the secrets of the settings.
 */
export function redactor(secrets: readonly string[]): (line: string) => string {
  const inJson = secrets.map((secret) => JSON.stringify(secret).slice(1, -1));
  return (line) => {
    let text = line
      .replace(/\b([a-z][a-z+.-]*:\/\/)[^\s/@"\\]+@/gi, '$1***@')
      .replace(/\b(Bearer|Basic) [\w.~+/-]{8,}=*/gi, '$1 ***');
    for (const secret of inJson) text = text.replaceAll(secret, '***');
    return text;
  };
}
