-- AlterTable
ALTER TABLE "failures" ADD COLUMN     "cause" TEXT;

-- What is recorded already is counted under its reason without the path of an address.
UPDATE "failures" SET "cause" = left(regexp_replace("reason", '(https?://[^\s/]+)/[^\s:;,)]+', '\1/…', 'g'), 300);

-- AlterTable
ALTER TABLE "failures" ALTER COLUMN "cause" SET NOT NULL;
