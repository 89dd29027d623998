/** What the form of a schedule holds, from a schedule and back. */
import type { ScheduleItem } from '../../../api/schedules/schemas.ts';
import { timeZone } from '../../format.ts';

export const allSteps = ['crawl', 'freeze', 'train'] as const;

/** As they are typed. */
export interface Values {
  name: string;
  cron: string;
  zone: string;
  steps: readonly string[];
  genre: string;
  /** Empty: the last three, as the calendar moves on. */
  years: string;
  market: string;
  /** Tracks; empty: all. */
  limit: string;
  /** `median`, or a popularity. */
  threshold: string;
  models: string;
  /** Empty: as suits. */
  folds: string;
  preset: string;
  always: boolean;
  deadline: string;
}

export interface Part {
  values: Values;
  set: (changed: Partial<Values>) => void;
}

/** As the API tells and takes them. */
interface Options {
  crawl?: { genre?: string; years?: string | null; market?: string; limit?: number | null } | null;
  freeze?: { threshold?: number | 'median' };
  train?: {
    models?: string;
    preset?: string | null;
    crossValidate?: number | null;
    always?: boolean;
  } | null;
  deadlineHours?: number;
}

const text = (value: number | string | null | undefined) =>
  value === null || value === undefined ? '' : String(value);
const numberOf = (typed: string) => (typed.trim() === '' ? null : Number(typed));

export function valuesOf(schedule: ScheduleItem | undefined): Values {
  const { crawl, freeze, train, deadlineHours } = (schedule?.options ?? {}) as Options;
  return {
    name: schedule?.schedule ?? 'nightly',
    cron: schedule?.cron ?? '0 3 * * *',
    zone: schedule?.timezone ?? timeZone,
    steps: schedule?.steps ?? allSteps,
    ...{ genre: crawl?.genre ?? 'hip-hop', years: text(crawl?.years), market: crawl?.market ?? 'US' },
    ...{ limit: text(crawl?.limit), threshold: text(freeze?.threshold ?? 'median') },
    ...{ models: train?.models ?? 'auto', folds: text(train?.crossValidate) },
    ...{ preset: text(train?.preset), always: train?.always ?? false },
    deadline: String(deadlineHours ?? 12),
  };
}

/** What is sent. What the form does not show of a schedule stays as it is. */
export function bodyOf(values: Values, schedule: ScheduleItem | undefined) {
  const before = (schedule?.options ?? {}) as Options;
  const { cron, zone, steps, genre, years, market, limit, threshold, models, folds, preset } = values;
  const median = threshold.trim() === '' || threshold.trim() === 'median';
  return {
    ...{ cron, timezone: zone, steps: allSteps.filter((step) => steps.includes(step)) },
    crawl: { genre, years: years.trim() || null, market, limit: numberOf(limit) },
    freeze: { ...before.freeze, threshold: median ? 'median' : Number(threshold) },
    train: {
      ...{ models, preset: preset.trim() || null, crossValidate: numberOf(folds), always: values.always },
    },
    deadlineHours: Number(values.deadline),
  };
}
