-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "CrawlState" AS ENUM ('running', 'done', 'cancelled');

-- CreateEnum
CREATE TYPE "TrackState" AS ENUM ('queued', 'fetched', 'ready', 'failed');

-- CreateEnum
CREATE TYPE "FailureKind" AS ENUM ('permanent', 'exhausted');

-- CreateEnum
CREATE TYPE "FailureState" AS ENUM ('open', 'retried', 'resolved', 'dismissed');

-- CreateEnum
CREATE TYPE "Split" AS ENUM ('train', 'test', 'holdout');

-- CreateEnum
CREATE TYPE "ModelState" AS ENUM ('queued', 'training', 'ready', 'failed', 'cancelled');

-- CreateEnum
CREATE TYPE "BatchState" AS ENUM ('running', 'done', 'cancelled');

-- CreateEnum
CREATE TYPE "SongState" AS ENUM ('queued', 'fetched', 'ready', 'scored', 'failed');

-- CreateTable
CREATE TABLE "crawls" (
    "id" SERIAL NOT NULL,
    "source" TEXT NOT NULL,
    "query" JSONB NOT NULL,
    "state" "CrawlState" NOT NULL DEFAULT 'running',
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "crawls_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "crawl_tracks" (
    "crawl_id" INTEGER NOT NULL,
    "track_id" INTEGER NOT NULL,
    "file" TEXT,
    "line" INTEGER,

    CONSTRAINT "crawl_tracks_pkey" PRIMARY KEY ("crawl_id","track_id")
);

-- CreateTable
CREATE TABLE "artists" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "key" TEXT NOT NULL,

    CONSTRAINT "artists_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tracks" (
    "id" SERIAL NOT NULL,
    "source" TEXT NOT NULL,
    "source_key" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "album" TEXT,
    "genre" TEXT,
    "release_date" DATE,
    "isrc" TEXT,
    "track_group" TEXT,
    "duration_ms" INTEGER,
    "location" TEXT NOT NULL,
    "attributes" JSONB NOT NULL DEFAULT '{}',
    "state" "TrackState" NOT NULL DEFAULT 'queued',
    "failure_reason" TEXT,
    "content_hash" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "tracks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "track_artists" (
    "track_id" INTEGER NOT NULL,
    "artist_id" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,

    CONSTRAINT "track_artists_pkey" PRIMARY KEY ("track_id","artist_id")
);

-- CreateTable
CREATE TABLE "popularity_readings" (
    "id" SERIAL NOT NULL,
    "track_id" INTEGER NOT NULL,
    "value" DOUBLE PRECISION NOT NULL,
    "origin" TEXT NOT NULL,
    "taken_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "popularity_readings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "previews" (
    "content_hash" TEXT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "fetched_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "previews_pkey" PRIMARY KEY ("content_hash")
);

-- CreateTable
CREATE TABLE "spectrogram_parameters" (
    "hash" TEXT NOT NULL,
    "parameters" JSONB NOT NULL,

    CONSTRAINT "spectrogram_parameters_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "spectrograms" (
    "content_hash" TEXT NOT NULL,
    "parameters_hash" TEXT NOT NULL,
    "bands" INTEGER NOT NULL,
    "frames" INTEGER NOT NULL,
    "max_db" DOUBLE PRECISION NOT NULL,
    "levels" BYTEA NOT NULL,
    "audio_hash" TEXT NOT NULL,
    "duration_seconds" DOUBLE PRECISION NOT NULL,
    "excerpt_start_seconds" DOUBLE PRECISION NOT NULL,
    "warnings" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "spectrograms_pkey" PRIMARY KEY ("content_hash","parameters_hash")
);

-- CreateTable
CREATE TABLE "failures" (
    "id" SERIAL NOT NULL,
    "stage" TEXT NOT NULL,
    "kind" "FailureKind" NOT NULL,
    "state" "FailureState" NOT NULL DEFAULT 'open',
    "reason" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 1,
    "payload" JSONB,
    "crawl_id" INTEGER,
    "track_id" INTEGER,
    "song_id" INTEGER,
    "model_id" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "failures_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "data_sets" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "parameters_hash" TEXT NOT NULL,
    "threshold" DOUBLE PRECISION NOT NULL,
    "threshold_rule" TEXT NOT NULL,
    "seed" INTEGER NOT NULL,
    "test_fraction" DOUBLE PRECISION NOT NULL,
    "holdout_fraction" DOUBLE PRECISION NOT NULL,
    "content_hash" TEXT NOT NULL,
    "counts" JSONB NOT NULL,
    "normalisation" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "data_sets_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "data_set_tracks" (
    "data_set_id" INTEGER NOT NULL,
    "track_id" INTEGER NOT NULL,
    "content_hash" TEXT NOT NULL,
    "parameters_hash" TEXT NOT NULL,
    "popularity" DOUBLE PRECISION NOT NULL,
    "popular" BOOLEAN NOT NULL,
    "split" "Split" NOT NULL,
    "group" INTEGER NOT NULL,

    CONSTRAINT "data_set_tracks_pkey" PRIMARY KEY ("data_set_id","track_id")
);

-- CreateTable
CREATE TABLE "training_runs" (
    "id" SERIAL NOT NULL,
    "data_set_id" INTEGER NOT NULL,
    "options" JSONB NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "training_runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "models" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "training_run_id" INTEGER NOT NULL,
    "data_set_id" INTEGER NOT NULL,
    "state" "ModelState" NOT NULL DEFAULT 'queued',
    "failure_reason" TEXT,
    "cancel_requested_at" TIMESTAMPTZ(3),
    "options" JSONB NOT NULL,
    "parameters" INTEGER,
    "topology" JSONB,
    "metrics" JSONB,
    "holdout_scores" JSONB,
    "progress" JSONB,
    "backend" TEXT,
    "code_version" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "models_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "model_weights" (
    "model_id" INTEGER NOT NULL,
    "bytes" BYTEA NOT NULL,
    "sha256" TEXT NOT NULL,

    CONSTRAINT "model_weights_pkey" PRIMARY KEY ("model_id")
);

-- CreateTable
CREATE TABLE "checkpoints" (
    "model_id" INTEGER NOT NULL,
    "progress" JSONB NOT NULL,
    "bytes" BYTEA NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "checkpoints_pkey" PRIMARY KEY ("model_id")
);

-- CreateTable
CREATE TABLE "promotions" (
    "id" SERIAL NOT NULL,
    "model_id" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "promoted_by" TEXT NOT NULL,
    "promoted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "promotions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "score_batches" (
    "id" SERIAL NOT NULL,
    "model_id" INTEGER NOT NULL,
    "state" "BatchState" NOT NULL DEFAULT 'running',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "score_batches_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "songs" (
    "id" SERIAL NOT NULL,
    "batch_id" INTEGER NOT NULL,
    "file" TEXT NOT NULL,
    "location" TEXT NOT NULL,
    "state" "SongState" NOT NULL DEFAULT 'queued',
    "failure_reason" TEXT,
    "content_hash" TEXT,
    "warnings" TEXT[],

    CONSTRAINT "songs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "scores" (
    "song_id" INTEGER NOT NULL,
    "probability" DOUBLE PRECISION NOT NULL,
    "percentile" DOUBLE PRECISION NOT NULL,
    "rank" INTEGER NOT NULL,

    CONSTRAINT "scores_pkey" PRIMARY KEY ("song_id")
);

-- CreateTable
CREATE TABLE "worker_processes" (
    "id" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "stages" TEXT[],
    "backend" TEXT,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "heartbeat_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "stopped_at" TIMESTAMPTZ(3),

    CONSTRAINT "worker_processes_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "crawl_tracks_track_id_idx" ON "crawl_tracks"("track_id");

-- CreateIndex
CREATE UNIQUE INDEX "artists_key_key" ON "artists"("key");

-- CreateIndex
CREATE INDEX "tracks_content_hash_idx" ON "tracks"("content_hash");

-- CreateIndex
CREATE INDEX "tracks_state_idx" ON "tracks"("state");

-- CreateIndex
CREATE INDEX "tracks_isrc_idx" ON "tracks"("isrc");

-- CreateIndex
CREATE UNIQUE INDEX "tracks_source_source_key_key" ON "tracks"("source", "source_key");

-- CreateIndex
CREATE INDEX "track_artists_artist_id_idx" ON "track_artists"("artist_id");

-- CreateIndex
CREATE INDEX "popularity_readings_track_id_taken_at_idx" ON "popularity_readings"("track_id", "taken_at" DESC);

-- CreateIndex
CREATE INDEX "failures_state_stage_idx" ON "failures"("state", "stage");

-- CreateIndex
CREATE INDEX "failures_track_id_idx" ON "failures"("track_id");

-- CreateIndex
CREATE INDEX "failures_crawl_id_idx" ON "failures"("crawl_id");

-- CreateIndex
CREATE UNIQUE INDEX "data_sets_name_key" ON "data_sets"("name");

-- CreateIndex
CREATE INDEX "data_set_tracks_track_id_idx" ON "data_set_tracks"("track_id");

-- CreateIndex
CREATE INDEX "data_set_tracks_content_hash_parameters_hash_idx" ON "data_set_tracks"("content_hash", "parameters_hash");

-- CreateIndex
CREATE INDEX "models_state_idx" ON "models"("state");

-- CreateIndex
CREATE INDEX "songs_batch_id_idx" ON "songs"("batch_id");

-- CreateIndex
CREATE INDEX "songs_content_hash_idx" ON "songs"("content_hash");

-- CreateIndex
CREATE INDEX "worker_processes_heartbeat_at_idx" ON "worker_processes"("heartbeat_at");

-- AddForeignKey
ALTER TABLE "crawl_tracks" ADD CONSTRAINT "crawl_tracks_crawl_id_fkey" FOREIGN KEY ("crawl_id") REFERENCES "crawls"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "crawl_tracks" ADD CONSTRAINT "crawl_tracks_track_id_fkey" FOREIGN KEY ("track_id") REFERENCES "tracks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "track_artists" ADD CONSTRAINT "track_artists_track_id_fkey" FOREIGN KEY ("track_id") REFERENCES "tracks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "track_artists" ADD CONSTRAINT "track_artists_artist_id_fkey" FOREIGN KEY ("artist_id") REFERENCES "artists"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "popularity_readings" ADD CONSTRAINT "popularity_readings_track_id_fkey" FOREIGN KEY ("track_id") REFERENCES "tracks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "spectrograms" ADD CONSTRAINT "spectrograms_parameters_hash_fkey" FOREIGN KEY ("parameters_hash") REFERENCES "spectrogram_parameters"("hash") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "failures" ADD CONSTRAINT "failures_crawl_id_fkey" FOREIGN KEY ("crawl_id") REFERENCES "crawls"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "failures" ADD CONSTRAINT "failures_track_id_fkey" FOREIGN KEY ("track_id") REFERENCES "tracks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "failures" ADD CONSTRAINT "failures_song_id_fkey" FOREIGN KEY ("song_id") REFERENCES "songs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "failures" ADD CONSTRAINT "failures_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "models"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "data_sets" ADD CONSTRAINT "data_sets_parameters_hash_fkey" FOREIGN KEY ("parameters_hash") REFERENCES "spectrogram_parameters"("hash") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "data_set_tracks" ADD CONSTRAINT "data_set_tracks_data_set_id_fkey" FOREIGN KEY ("data_set_id") REFERENCES "data_sets"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "data_set_tracks" ADD CONSTRAINT "data_set_tracks_track_id_fkey" FOREIGN KEY ("track_id") REFERENCES "tracks"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "data_set_tracks" ADD CONSTRAINT "data_set_tracks_content_hash_parameters_hash_fkey" FOREIGN KEY ("content_hash", "parameters_hash") REFERENCES "spectrograms"("content_hash", "parameters_hash") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "training_runs" ADD CONSTRAINT "training_runs_data_set_id_fkey" FOREIGN KEY ("data_set_id") REFERENCES "data_sets"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "models" ADD CONSTRAINT "models_training_run_id_fkey" FOREIGN KEY ("training_run_id") REFERENCES "training_runs"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "models" ADD CONSTRAINT "models_data_set_id_fkey" FOREIGN KEY ("data_set_id") REFERENCES "data_sets"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model_weights" ADD CONSTRAINT "model_weights_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "models"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "checkpoints" ADD CONSTRAINT "checkpoints_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "models"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "promotions" ADD CONSTRAINT "promotions_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "models"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "score_batches" ADD CONSTRAINT "score_batches_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "models"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "songs" ADD CONSTRAINT "songs_batch_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "score_batches"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "scores" ADD CONSTRAINT "scores_song_id_fkey" FOREIGN KEY ("song_id") REFERENCES "songs"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- Written by hand from here on: what Prisma's schema cannot say.

-- Already compressed or noise to pglz: store as it is, so that a part can be read without the whole.
ALTER TABLE "spectrograms" ALTER COLUMN "levels" SET STORAGE EXTERNAL;
ALTER TABLE "previews" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;
ALTER TABLE "model_weights" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;
ALTER TABLE "checkpoints" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;

-- A data set is frozen: an evaluation is worth nothing when its tracks can change afterwards.
CREATE FUNCTION "refuse_data_set_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'data sets are immutable: % on % is refused, freeze a new data set instead', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'object_not_in_prerequisite_state';
END $$;

CREATE TRIGGER "data_sets_immutable" BEFORE UPDATE OR DELETE OR TRUNCATE ON "data_sets"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_data_set_change"();
CREATE TRIGGER "data_set_tracks_immutable" BEFORE UPDATE OR DELETE OR TRUNCATE ON "data_set_tracks"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_data_set_change"();

-- Tracks join a data set only in the transaction that made it (xmin is the transaction that wrote
-- the row; a savepoint between the two would count as another). Once a statement, not once a row:
-- a data set has 100,000 tracks and more.
CREATE FUNCTION "refuse_late_data_set_tracks"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  late integer;
BEGIN
  SELECT s."id" INTO late FROM "data_sets" s
    WHERE s."id" IN (SELECT "data_set_id" FROM inserted) AND s.xmin <> pg_current_xact_id()::xid
    LIMIT 1;
  IF late IS NOT NULL THEN
    RAISE EXCEPTION 'data sets are immutable: data set % is frozen and takes no more tracks, freeze a new one instead', late
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "data_set_tracks_frozen" AFTER INSERT ON "data_set_tracks"
  REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_late_data_set_tracks"();
