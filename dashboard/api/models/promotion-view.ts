import { publicId } from '../../../shared/identifiers.ts';
import type { PromotionView } from './schemas.ts';

interface Row {
  promotedAt: Date;
  promotedBy: string;
  reason: string;
  modelId: number;
  model: { name: string };
}

/** A promotion as the API tells it. */
export function promotionView({ modelId, model, promotedAt, promotedBy, reason }: Row): PromotionView {
  return {
    ...{ model: publicId('model', modelId), name: model.name, at: promotedAt.toISOString() },
    ...{ by: promotedBy, reason },
  };
}
