-- CreateEnum
CREATE TYPE "PartitionState" AS ENUM ('open', 'cut', 'done');

-- CreateEnum
CREATE TYPE "PageState" AS ENUM ('queued', 'done', 'skipped', 'failed');

-- CreateEnum
CREATE TYPE "ScheduleRunState" AS ENUM ('running', 'done', 'failed', 'skipped', 'cancelled');

-- AlterEnum
ALTER TYPE "TrackState" ADD VALUE 'listed';

-- DropIndex
DROP INDEX "artists_key_key";

-- AlterTable
ALTER TABLE "artists" ADD COLUMN     "source" TEXT NOT NULL DEFAULT 'folder',
ADD COLUMN     "source_key" TEXT;
-- So far every artist came from a folder or manifest, where the folded name is all the identity there is.
UPDATE "artists" SET "source_key" = "key";
ALTER TABLE "artists" ALTER COLUMN "source_key" SET NOT NULL;

-- AlterTable
ALTER TABLE "crawl_tracks" ADD COLUMN     "page_id" INTEGER;

-- AlterTable
ALTER TABLE "crawls" ADD COLUMN     "honours_not" BOOLEAN,
ADD COLUMN     "parameters_hash" TEXT,
ADD COLUMN     "query_key" TEXT,
ADD COLUMN     "quota" TEXT,
ADD COLUMN     "running_key" TEXT,
ADD COLUMN     "searched_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "popularity_readings" ADD COLUMN     "crawl_id" INTEGER,
ADD COLUMN     "rank" INTEGER,
ALTER COLUMN "value" DROP NOT NULL;

-- AlterTable
ALTER TABLE "tracks" ADD COLUMN     "album_id" INTEGER,
ALTER COLUMN "location" DROP NOT NULL,
ALTER COLUMN "updated_at" SET DEFAULT CURRENT_TIMESTAMP;

-- CreateTable
CREATE TABLE "partitions" (
    "id" SERIAL NOT NULL,
    "crawl_id" INTEGER NOT NULL,
    "parent_id" INTEGER,
    "query" TEXT NOT NULL,
    "part" JSONB NOT NULL,
    "state" "PartitionState" NOT NULL DEFAULT 'open',
    "probe" BOOLEAN NOT NULL DEFAULT false,
    "expected" DOUBLE PRECISION,
    "total" INTEGER,
    "new_rows" INTEGER,
    "done_at" TIMESTAMPTZ(3),
    "note" TEXT,

    CONSTRAINT "partitions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "search_pages" (
    "id" SERIAL NOT NULL,
    "crawl_id" INTEGER NOT NULL,
    "partition_id" INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    "limit" INTEGER NOT NULL,
    "sweep" INTEGER NOT NULL DEFAULT 0,
    "state" "PageState" NOT NULL DEFAULT 'queued',
    "failure_reason" TEXT,
    "total" INTEGER,
    "rows" INTEGER,
    "new_rows" INTEGER,
    "track_ids" INTEGER[] DEFAULT ARRAY[]::INTEGER[],
    "done_at" TIMESTAMPTZ(3),

    CONSTRAINT "search_pages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "artist_words" (
    -- Compared byte by byte, the primary key finds prefixes too.
    "word" TEXT COLLATE "C" NOT NULL,
    "artist_id" INTEGER NOT NULL,

    CONSTRAINT "artist_words_pkey" PRIMARY KEY ("word","artist_id")
);

-- CreateTable
CREATE TABLE "albums" (
    "id" SERIAL NOT NULL,
    "source" TEXT NOT NULL,
    "source_key" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "type" TEXT,
    "release_date" DATE,

    CONSTRAINT "albums_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "album_artists" (
    "album_id" INTEGER NOT NULL,
    "artist_id" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,

    CONSTRAINT "album_artists_pkey" PRIMARY KEY ("album_id","artist_id")
);

-- CreateTable
CREATE TABLE "schedules" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "cron" TEXT NOT NULL,
    "timezone" TEXT NOT NULL,
    "steps" TEXT[],
    "options" JSONB NOT NULL,
    "paused" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "schedules_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "schedule_runs" (
    "id" SERIAL NOT NULL,
    "schedule_id" INTEGER,
    "schedule_name" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "state" "ScheduleRunState" NOT NULL DEFAULT 'running',
    "reason" TEXT,
    "steps" JSONB NOT NULL,
    "options" JSONB NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deadline_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "schedule_runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "outside_services" (
    "name" TEXT NOT NULL,
    "paused_until" TIMESTAMPTZ(3),
    "token" TEXT,
    "token_until" TIMESTAMPTZ(3),

    CONSTRAINT "outside_services_pkey" PRIMARY KEY ("name")
);

-- Crawls of folders so far: all of their tracks were stored before anything else was done.
UPDATE "crawls" SET "searched_at" = "started_at";

-- Albums were a column of tracks: make them rows. One title by one first artist is one album.
INSERT INTO "albums" ("source", "source_key", "title", "release_date")
SELECT t."source", lower(t."album") || ' / ' || coalesce(a."key", ''), min(t."album"), min(t."release_date")
FROM "tracks" t
LEFT JOIN "track_artists" ta ON ta."track_id" = t."id" AND ta."position" = 0
LEFT JOIN "artists" a ON a."id" = ta."artist_id"
WHERE t."album" IS NOT NULL
GROUP BY 1, 2;
UPDATE "tracks" t SET "album_id" = b."id"
FROM "tracks" s
LEFT JOIN "track_artists" ta ON ta."track_id" = s."id" AND ta."position" = 0
LEFT JOIN "artists" a ON a."id" = ta."artist_id"
JOIN "albums" b ON b."source" = s."source" AND b."source_key" = lower(s."album") || ' / ' || coalesce(a."key", '')
WHERE s."id" = t."id" AND s."album" IS NOT NULL;
ALTER TABLE "tracks" DROP COLUMN "album";

-- CreateIndex
CREATE INDEX "partitions_parent_id_idx" ON "partitions"("parent_id");

-- CreateIndex
CREATE INDEX "partitions_crawl_id_done_at_idx" ON "partitions"("crawl_id", "done_at");

-- CreateIndex
CREATE UNIQUE INDEX "partitions_crawl_id_query_probe_key" ON "partitions"("crawl_id", "query", "probe");

-- CreateIndex
CREATE INDEX "search_pages_crawl_id_state_idx" ON "search_pages"("crawl_id", "state");

-- CreateIndex
CREATE UNIQUE INDEX "search_pages_partition_id_offset_sweep_key" ON "search_pages"("partition_id", "offset", "sweep");

-- CreateIndex
CREATE INDEX "artist_words_artist_id_idx" ON "artist_words"("artist_id");

-- CreateIndex
CREATE UNIQUE INDEX "albums_source_source_key_key" ON "albums"("source", "source_key");

-- CreateIndex
CREATE INDEX "album_artists_artist_id_idx" ON "album_artists"("artist_id");

-- CreateIndex
CREATE UNIQUE INDEX "schedules_name_key" ON "schedules"("name");

-- CreateIndex
CREATE UNIQUE INDEX "schedule_runs_job_id_key" ON "schedule_runs"("job_id");

-- CreateIndex
CREATE INDEX "schedule_runs_schedule_name_started_at_idx" ON "schedule_runs"("schedule_name", "started_at" DESC);

-- CreateIndex
CREATE INDEX "artists_key_idx" ON "artists"("key");

-- CreateIndex
CREATE UNIQUE INDEX "artists_source_source_key_key" ON "artists"("source", "source_key");

-- CreateIndex
CREATE INDEX "crawl_tracks_page_id_idx" ON "crawl_tracks"("page_id");

-- CreateIndex
CREATE UNIQUE INDEX "crawls_running_key_key" ON "crawls"("running_key");

-- CreateIndex
CREATE INDEX "crawls_query_key_idx" ON "crawls"("query_key");

-- CreateIndex
CREATE INDEX "popularity_readings_crawl_id_track_id_idx" ON "popularity_readings"("crawl_id", "track_id");

-- CreateIndex
CREATE INDEX "tracks_album_id_idx" ON "tracks"("album_id");

-- CreateIndex
CREATE INDEX "tracks_location_idx" ON "tracks"("location");

-- AddForeignKey
ALTER TABLE "crawl_tracks" ADD CONSTRAINT "crawl_tracks_page_id_fkey" FOREIGN KEY ("page_id") REFERENCES "search_pages"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "partitions" ADD CONSTRAINT "partitions_crawl_id_fkey" FOREIGN KEY ("crawl_id") REFERENCES "crawls"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "partitions" ADD CONSTRAINT "partitions_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "partitions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "search_pages" ADD CONSTRAINT "search_pages_crawl_id_fkey" FOREIGN KEY ("crawl_id") REFERENCES "crawls"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "search_pages" ADD CONSTRAINT "search_pages_partition_id_fkey" FOREIGN KEY ("partition_id") REFERENCES "partitions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "artist_words" ADD CONSTRAINT "artist_words_artist_id_fkey" FOREIGN KEY ("artist_id") REFERENCES "artists"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "album_artists" ADD CONSTRAINT "album_artists_album_id_fkey" FOREIGN KEY ("album_id") REFERENCES "albums"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "album_artists" ADD CONSTRAINT "album_artists_artist_id_fkey" FOREIGN KEY ("artist_id") REFERENCES "artists"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tracks" ADD CONSTRAINT "tracks_album_id_fkey" FOREIGN KEY ("album_id") REFERENCES "albums"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "popularity_readings" ADD CONSTRAINT "popularity_readings_crawl_id_fkey" FOREIGN KEY ("crawl_id") REFERENCES "crawls"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "schedule_runs" ADD CONSTRAINT "schedule_runs_schedule_id_fkey" FOREIGN KEY ("schedule_id") REFERENCES "schedules"("id") ON DELETE SET NULL ON UPDATE CASCADE;

