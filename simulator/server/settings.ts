/** What can be set about the simulator, checked in one place for code, command line and HTTP alike. */
import { z } from 'zod';
import { UserError } from '../../shared/errors.ts';
import { chaosKinds, chaosLevels } from './chaos-table.ts';

const whole = (least: number) => z.number().int().min(least);
const seconds = z.number().positive();
const share = z.number().min(0).max(1);

/** Settings that `change` can replace while the simulator runs. */
const liveShape = {
  /** extended: pages of 50, previews, popularity. development: pages of 10 and neither. */
  quota: z.enum(['extended', 'development']),
  /** How the search takes NOT and OR. */
  operators: z.enum(['honoured', 'ignored', 'literal']),
  /** The most that `total` says. */
  totalCap: whole(1),
  /** Searches in a window before 429; null for no limit. */
  searchLimit: whole(1).nullable(),
  searchWindowSeconds: seconds,
  deezerLimit: whole(1),
  deezerWindowSeconds: seconds,
  /** How long a token is good for, for tokens given from now on. */
  tokenSeconds: seconds,
  /** The one id and secret that are accepted; null accepts any that are not empty. */
  credentials: z.strictObject({ id: z.string().min(1), secret: z.string().min(1) }).nullable(),
  chaos: z.enum(chaosLevels),
  /** Shares that replace the chaos level's own, so that a test can have one fault alone, or always. */
  chaosRates: z.partialRecord(z.enum(chaosKinds), share),
};

const fixedShape = {
  /** A loopback address: the simulator is for this machine only. */
  host: z.string(),
  /** 0 takes a free one. */
  port: whole(0).max(65_535),
  /** Length of synthesised previews. */
  previewSeconds: z.number().min(1).max(600),
  /** Processes that synthesise; 0 does it in this process, which then answers nobody meanwhile. */
  renderers: whole(0).max(64),
  /** How the processes that synthesise make the same world; null synthesises in this process. */
  worldOptions: z
    .strictObject({ tracks: whole(1), seed: whole(0), years: z.tuple([z.number().int(), z.number().int()]) })
    .nullable(),
  /** Where synthesised previews are kept; null for a temporary folder that goes with the simulator. */
  cacheFolder: z.string().min(1).nullable(),
  /** Clips to serve instead of synthesised ones: recording modulo number of files, in order of name. */
  audioFolder: z.string().min(1).nullable(),
};

const changeSchema = z
  .strictObject({
    ...liveShape,
    /** Answer every search of so many seconds with 429. */
    storm: seconds,
    /** Make every token that was given unknown. */
    revokeTokens: z.boolean(),
  })
  .partial();
const settingsSchema = z.strictObject({ ...liveShape, ...fixedShape }).partial();

export type LiveSettings = z.output<z.ZodObject<typeof liveShape>>;
export type FixedSettings = z.output<z.ZodObject<typeof fixedShape>>;
/** What `startSimulator` takes; `defaults` fills in the rest. */
export type SimulatorSettings = z.input<typeof settingsSchema>;
/** What `change` and POST /simulator/settings take. */
export type SimulatorChange = z.input<typeof changeSchema>;
/** The same without anything undefined. */
export type CheckedChange = Given<SimulatorChange>;

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

export const defaults: LiveSettings & FixedSettings = {
  quota: 'extended',
  operators: 'honoured',
  totalCap: 1000,
  searchLimit: null,
  searchWindowSeconds: 30,
  deezerLimit: 50,
  deezerWindowSeconds: 5,
  tokenSeconds: 3600,
  credentials: null,
  chaos: 'none',
  chaosRates: {},
  host: '127.0.0.1',
  port: 0,
  previewSeconds: 30,
  renderers: 1,
  worldOptions: null,
  cacheFolder: null,
  audioFolder: null,
};

/**
 * Check settings and fill in what is missing.
 * @throws UserError that names each setting that is wrong
 */
export function completeSettings(settings: SimulatorSettings): LiveSettings & FixedSettings {
  return { ...defaults, ...given(check(settingsSchema, settings)) };
}

/** @throws UserError that names each setting that is wrong */
export function checkChange(change: unknown): CheckedChange {
  return given(check(changeSchema, change));
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => [...issue.path, issue.message].join(': '));
  throw new UserError(`the simulator's settings are wrong: ${wrong.join('; ')}`);
}

/** Without what is undefined, which in a spread would take a default away. */
function given<T extends object>(value: T): Given<T> {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries) as Given<T>;
}
