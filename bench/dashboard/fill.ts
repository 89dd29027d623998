/** A database as one finds it after a season of work, of any size. */
import type { Database } from '../../shared/database/index.ts';
import { type ActivitySize, fillActivity } from './activity.ts';
import { fillCatalogue } from './catalogue.ts';
import { fillRegistry, type RegistrySize } from './registry.ts';

export interface Season extends RegistrySize, ActivitySize {
  tracks: number;
}

/** What the pages are to be fast on. */
export const season: Season = {
  tracks: 100_000,
  ...{ runs: 30, models: 40, predictions: 2_000 },
  ...{ days: 90, logLines: 200_000, batches: 300, songsABatch: 10 },
  ...{ auditEntries: 5_000, schedules: 5, nightsASchedule: 90 },
};

/** Fill an empty database. */
export async function fill(database: Database, size: Season): Promise<void> {
  await fillCatalogue(database.pool, size.tracks);
  await fillRegistry(database, size);
  await fillActivity(database.pool, size);
}
