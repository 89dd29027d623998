/** Who asks: an account, by its browser session or a token, or whoever sits at this machine. */
import type { Role } from '../../shared/database/generated/client.ts';

export type { Role };

export interface Caller {
  /** Null: nobody with an account, on a server that needs none. */
  accountId: number | null;
  /** The account's name; `local` for whoever sits at this machine. */
  name: string;
  role: Role;
}

/** Who may do something. Each route names one of these. */
export const everyone: readonly Role[] = ['viewer', 'artist', 'operator'];
/** Who looks after the pipeline: not artists, who see catalogue, models and songs alone. */
export const staff: readonly Role[] = ['viewer', 'operator'];
/** Who has songs. */
export const songOwners: readonly Role[] = ['artist', 'operator'];
export const operators: readonly Role[] = ['operator'];
