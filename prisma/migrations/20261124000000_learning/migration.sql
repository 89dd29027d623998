-- CreateEnum
CREATE TYPE "PredictionSide" AS ENUM ('holdout', 'test', 'out_of_fold');

-- AlterTable
ALTER TABLE "models" ADD COLUMN     "imported" JSONB;

-- AlterTable
ALTER TABLE "promotions" ADD COLUMN     "evidence" JSONB;

-- AlterTable
ALTER TABLE "score_batches" ADD COLUMN     "explain" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "training_runs" ADD COLUMN     "decision" JSONB;

-- CreateTable
CREATE TABLE "embeddings" (
    "content_hash" TEXT NOT NULL,
    "tagger" TEXT NOT NULL,
    "values" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "embeddings_pkey" PRIMARY KEY ("content_hash","tagger")
);

-- CreateTable
CREATE TABLE "model_predictions" (
    "model_id" INTEGER NOT NULL,
    "side" "PredictionSide" NOT NULL,
    "track_id" INTEGER NOT NULL,
    "probability" DOUBLE PRECISION NOT NULL,
    "popular" BOOLEAN NOT NULL,

    CONSTRAINT "model_predictions_pkey" PRIMARY KEY ("model_id","side","track_id")
);

-- CreateTable
CREATE TABLE "explanations" (
    "song_id" INTEGER NOT NULL,
    "content" JSONB NOT NULL,
    "picture" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "explanations_pkey" PRIMARY KEY ("song_id")
);

-- CreateIndex
CREATE INDEX "model_predictions_track_id_idx" ON "model_predictions"("track_id");

-- AddForeignKey
ALTER TABLE "model_predictions" ADD CONSTRAINT "model_predictions_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "models"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model_predictions" ADD CONSTRAINT "model_predictions_track_id_fkey" FOREIGN KEY ("track_id") REFERENCES "tracks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "explanations" ADD CONSTRAINT "explanations_song_id_fkey" FOREIGN KEY ("song_id") REFERENCES "songs"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- Compression would cost time and gain nothing.
ALTER TABLE "embeddings" ALTER COLUMN "values" SET STORAGE EXTERNAL;
ALTER TABLE "explanations" ALTER COLUMN "picture" SET STORAGE EXTERNAL;
