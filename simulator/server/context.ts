/** What the endpoints of one simulator share. */
import type { World } from '../world/types.ts';
import type { Chaos } from './chaos-table.ts';
import type { Patience } from './limits.ts';
import type { PreviewStore } from './preview-store.ts';
import type { LiveSettings } from './settings.ts';
import type { Counters } from './statistics.ts';
import type { Tokens } from './tokens.ts';

export interface Context {
  readonly world: World;
  /** The settings of now: read at each request, replaced by `change`. */
  live: LiveSettings;
  chaos: Chaos;
  /** Until when every search is refused, in `performance.now()`'s milliseconds. */
  stormEnd: number;
  /** http://127.0.0.1:PORT, known once the server listens. */
  origin: string;
  readonly counters: Counters;
  readonly tokens: Tokens;
  readonly patience: Patience;
  readonly previews: PreviewStore;
  /** Aborted when the simulator closes, so that nobody goes on waiting. */
  readonly signal: AbortSignal;
}
