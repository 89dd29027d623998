/** The schedules as event. */
import type { Session } from '../../../producers/session.ts';
import type { Topic } from '../../events/hub.ts';
import { readSchedules } from './describe.ts';

export function scheduleTopic(session: Session): Topic {
  return {
    name: 'schedules',
    audience: ({ role }) => (role === 'artist' ? null : 'all'),
    everyMs: 2_000,
    read: () => readSchedules(session),
  };
}
