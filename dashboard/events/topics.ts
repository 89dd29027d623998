/** All topics that the pages see move. */
import type { Session } from '../../producers/session.ts';
import { modelsTopic } from '../api/models/topic.ts';
import { pipelineTopic } from '../api/pipeline/snapshot.ts';
import { scheduleTopic } from '../api/schedules/topic.ts';
import { songsTopic } from '../api/songs/topic.ts';
import type { Topic } from './hub.ts';

export function topicsOf(session: Session): Topic[] {
  return [pipelineTopic(session), scheduleTopic(session), songsTopic(session), modelsTopic(session)];
}
