import { availableParallelism, homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from './errors.ts';

const text = z.string().trim().min(1);
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** Every setting, as it stands in the environment. `hiphop doctor` and README.md list them. */
const environmentSchema = z.object({
  DATA_DIR: text.default('.data'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  CACHE_DIR: text.optional(),
  LOG_LEVEL: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']).optional(),
  AUDIO_EXCERPT: z.enum(['auto', 'first', 'middle', 'loudest']).default('auto'),
  AUDIO_SECONDS: z.coerce.number().min(1).max(600).default(30),
  AUDIO_TIMEOUT_SECONDS: whole(1, 3600).default(60),
  AUDIO_MAX_MEGABYTES: whole(1, 1900).default(500),
  AUDIO_PROCESSES: whole(1, 256).optional(),
  KEEP_PREVIEWS: z.enum(['yes', 'no']).default('no'),
  SPOTIFY_CLIENT_ID: text.optional(),
  SPOTIFY_CLIENT_SECRET: text.optional(),
  PREVIEW_HOSTS: text.default('p.scdn.co,*.dzcdn.net'),
  PREVIEW_MAX_MEGABYTES: whole(1, 1900).default(5),
  SIMULATOR_URL: z.url({ protocol: /^http$/, hostname: /^(127\.0\.0\.1|localhost)$/ }).optional(),
  TENSORFLOW: z.enum(['auto', 'gpu', 'cpu', 'wasm']).default('auto'),
  TAGGER: z.enum(['auto', 'off']).default('auto'),
  DASHBOARD_HOST: text.default('127.0.0.1'),
  DASHBOARD_PORT: whole(0, 65_535).optional(),
  SESSION_SECRET: text.optional(),
  SECURE_COOKIES: z.enum(['auto', 'yes', 'no']).default('auto'),
  TRUSTED_PROXIES: text.default('loopback'),
  UPLOAD_MAX_MEGABYTES: whole(1, 1900).default(200),
  UPLOAD_MAX_FILES: whole(1, 100_000).default(1000),
  UPLOAD_ACCOUNT_MEGABYTES: whole(1, 100_000_000).default(20_000),
  REQUESTS_PER_MINUTE: whole(10, 10_000_000).default(3000),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
});

/** The world outside: where it is and who we are to it. With the simulator only the addresses differ. */
export interface OutsideConfig {
  /** Origins, without a slash at the end. */
  spotifyAccounts: string;
  spotifyApi: string;
  deezer: string;
  /** Undefined where the environment does not say; never logged, never in a job or a row. */
  spotifyClientId: string | undefined;
  spotifyClientSecret: string | undefined;
  /** Hosts that previews may be fetched from; `*.` at the start stands for one or more names. */
  previewHosts: readonly string[];
  previewMaxBytes: number;
  /** Origin of the simulator: the one address that may be plain http on this machine. */
  simulator: string | undefined;
}

/** The pages and their API. */
export interface DashboardConfig {
  /** Address to listen on: this machine alone by default. */
  host: string;
  /** Undefined: the usual one, or a free one where that is taken. 0: a free one. */
  port: number | undefined;
  /** Signs the cookies of sessions; undefined: one is made and kept in the data folder. Never logged. */
  sessionSecret: string | undefined;
  /** Whether cookies travel over https alone; `auto`: unless this machine alone is served and the browser came by http. */
  secureCookies: 'auto' | 'yes' | 'no';
  /** Whose word on where a request comes from is taken: addresses, networks, `loopback`, comma-separated. */
  trustedProxies: string;
  /** Of one file that is dropped in. */
  uploadMaxBytes: number;
  /** Of one batch of songs. */
  uploadMaxFiles: number;
  /** Of all songs that one account keeps here; without accounts, of all. */
  uploadAccountBytes: number;
  /** Of one caller. */
  requestsPerMinute: number;
}

/** The settings of one process: parsed once by its entry point, passed to everything else. */
export interface Config {
  /** Absolute path of the folder that holds all that is not in a server. */
  dataDir: string;
  /** PostgreSQL to use instead of the embedded server. */
  databaseUrl: string | undefined;
  /** Redis that carries the queues instead of PostgreSQL. */
  redisUrl: string | undefined;
  /** Absolute path of what can be downloaded again: TensorFlow's libraries, the tagger. Shared by checkouts. */
  cacheDir: string;
  /** Undefined where nobody asked: a service then says more than a command. */
  logLevel: 'silent' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | undefined;
  audio: {
    excerpt: 'auto' | 'first' | 'middle' | 'loudest';
    seconds: number;
    timeoutSeconds: number;
    maxBytes: number;
    processes: number;
  };
  keepPreviews: boolean;
  outside: OutsideConfig;
  tensorflow: 'auto' | 'gpu' | 'cpu' | 'wasm';
  /** Whether the music tagger listens to recordings, where it can be had. */
  tagger: 'auto' | 'off';
  dashboard: DashboardConfig;
  /** Where traces of jobs go by OTLP over http; undefined: nowhere. */
  otlpEndpoint: string | undefined;
}

/**
 * Parse the environment.
 * @throws UserError that names each setting that is wrong
 */
export function parseConfig(environment: NodeJS.ProcessEnv): Config {
  // An empty variable, as docker-compose passes for an unset one, is no setting.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new UserError(`settings in the environment are wrong: ${wrong.join('; ')}`);
  }
  const env = parsed.data;
  return {
    dataDir: resolve(env.DATA_DIR),
    databaseUrl: env.DATABASE_URL,
    redisUrl: env.REDIS_URL,
    cacheDir: resolve(env.CACHE_DIR ?? defaultCacheDir(environment)),
    logLevel: env.LOG_LEVEL,
    audio: {
      excerpt: env.AUDIO_EXCERPT,
      seconds: env.AUDIO_SECONDS,
      timeoutSeconds: env.AUDIO_TIMEOUT_SECONDS,
      maxBytes: env.AUDIO_MAX_MEGABYTES * 1_000_000,
      processes: env.AUDIO_PROCESSES ?? availableParallelism(),
    },
    keepPreviews: env.KEEP_PREVIEWS === 'yes',
    outside: outsideOf(env),
    tensorflow: env.TENSORFLOW,
    tagger: env.TAGGER,
    dashboard: {
      host: env.DASHBOARD_HOST,
      port: env.DASHBOARD_PORT,
      sessionSecret: env.SESSION_SECRET,
      secureCookies: env.SECURE_COOKIES,
      trustedProxies: env.TRUSTED_PROXIES,
      uploadMaxBytes: env.UPLOAD_MAX_MEGABYTES * 1_000_000,
      uploadMaxFiles: env.UPLOAD_MAX_FILES,
      uploadAccountBytes: env.UPLOAD_ACCOUNT_MEGABYTES * 1_000_000,
      requestsPerMinute: env.REQUESTS_PER_MINUTE,
    },
    otlpEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/+$/, ''),
  };
}

function outsideOf(env: z.infer<typeof environmentSchema>): OutsideConfig {
  const simulator = env.SIMULATOR_URL && new URL(env.SIMULATOR_URL).origin;
  return {
    spotifyAccounts: simulator ?? 'https://accounts.spotify.com',
    spotifyApi: simulator ?? 'https://api.spotify.com',
    deezer: simulator ?? 'https://api.deezer.com',
    // The simulator takes anybody.
    spotifyClientId: env.SPOTIFY_CLIENT_ID ?? (simulator && 'simulator'),
    spotifyClientSecret: env.SPOTIFY_CLIENT_SECRET ?? (simulator && 'simulator'),
    previewHosts: env.PREVIEW_HOSTS.split(',')
      .map((host) => host.trim().toLowerCase())
      .filter((host) => host !== ''),
    previewMaxBytes: env.PREVIEW_MAX_MEGABYTES * 1_000_000,
    simulator,
  };
}

function defaultCacheDir(environment: NodeJS.ProcessEnv): string {
  const base = environment['XDG_CACHE_HOME'] || (homedir() ? join(homedir(), '.cache') : tmpdir());
  return join(base, 'hiphop-popularity');
}
