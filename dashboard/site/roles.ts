/** Who may see which pages: the roles of dashboard/access/caller.ts, as the pages know them. */
import type { Me } from '../api/access/schemas.ts';

export type Role = NonNullable<Me['role']>;

export const everyone: readonly Role[] = ['viewer', 'artist', 'operator'];
/** Who looks after the pipeline. */
export const staff: readonly Role[] = ['viewer', 'operator'];
export const songOwners: readonly Role[] = ['artist', 'operator'];
export const operators: readonly Role[] = ['operator'];

/** Where somebody begins. */
export const homeOf = (role: Me['role']) => (role === 'artist' ? '/songs' : '/');
