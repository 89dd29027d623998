/** All topics that the pages see move. */
import type { Session } from '../../producers/session.ts';
import type { Topic } from './hub.ts';

export function topicsOf(_session: Session): Topic[] {
  return [];
}
