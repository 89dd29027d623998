-- AlterTable
ALTER TABLE "songs" ADD COLUMN     "upload_key" TEXT;

-- CreateIndex
CREATE UNIQUE INDEX "songs_batch_id_upload_key_key" ON "songs"("batch_id", "upload_key");
