/** What of the API has changed when the topic `models` has. */
import type { ModelsSnapshot } from '../../../api/models/schemas.ts';

/**
 * Tell whether what stands at a path is out of date. Of a training that goes on only its own page is: its
 * curve is read anew, while lists show the progress that the snapshot brings.
 *
 * @param before undefined: nothing is known of it.
 */
export function outOfDate(
  before: ModelsSnapshot | undefined,
  now: ModelsSnapshot,
): (path: string) => boolean {
  if (!before || standing(before) !== standing(now)) {
    return (path) =>
      ['/models', '/training-runs', '/data-sets', '/promotions'].some((one) => path.startsWith(one));
  }
  const was = new Map(before.training.map(({ id, progress }) => [id, JSON.stringify(progress)]));
  const moved = now.training.filter(({ id, progress }) => was.get(id) !== JSON.stringify(progress));
  return (path) => moved.some(({ id }) => path === `/models/${id}`);
}

/** All but how far trainings are. */
const standing = ({ champion, newest, training }: ModelsSnapshot) =>
  JSON.stringify([champion, newest, training.map(({ id, state }) => [id, state])]);
