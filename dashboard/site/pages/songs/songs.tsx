/** Drop songs in, and find them again. */
import { Link } from 'react-router';
import type { BatchItem } from '../../../api/songs/schemas.ts';
import { useMe } from '../../api.ts';
import { type Paged, useList } from '../../components/list.ts';
import { Meter } from '../../components/meter.tsx';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { DataTable, Pager } from '../../components/table.tsx';
import { count, moment } from '../../format.ts';
import { DropZone } from './drop-zone.tsx';
import { BatchState } from './steps.tsx';
import { UploadList } from './upload-list.tsx';

export default function Songs() {
  const me = useMe();
  const batches = useList<Paged<BatchItem>>('/batches');
  const everybody = me.data?.role === 'operator' && me.data.needsSignIn;
  return (
    <Page
      title="Songs"
      lead="Drop in songs that nobody has heard yet: they are ranked by how much they sound like songs that became popular. A sieve over many, not an oracle on one."
    >
      <Panel title="New songs">
        <DropZone />
        <UploadList />
      </Panel>
      <Panel title={everybody ? 'Batches of everybody (you are operator)' : 'Your batches'}>
        <Loaded query={batches}>
          {({ items, ...page }) =>
            items.length === 0 ? (
              <Empty title="No songs yet">
                Drop some in above. They are seen by you and the operators of this machine, and by nobody
                else; you can delete them with all that was made of them.
              </Empty>
            ) : (
              <>
                <DataTable
                  caption="Batches of songs"
                  rows={items}
                  rowId={({ id }) => id}
                  columns={[
                    {
                      id: 'name',
                      header: 'Batch',
                      cell: (row) => <Link to={`/songs/batch/${row.id}`}>{row.name ?? row.id}</Link>,
                    },
                    {
                      id: 'state',
                      header: 'State',
                      cell: (row) => <BatchState {...row} />,
                    },
                    {
                      id: 'progress',
                      header: 'Judged',
                      cell: ({ counts }) => <Meter done={counts.scored} total={counts.total} noun="songs" />,
                    },
                    {
                      id: 'failed',
                      header: 'Failed',
                      numeric: true,
                      cell: ({ counts }) => count(counts.failed),
                    },
                    {
                      id: 'model',
                      header: 'Judge',
                      cell: ({ model, modelName }) => (
                        <Link to={`/models/${model}`}>
                          {model} ({modelName})
                        </Link>
                      ),
                    },
                    ...(everybody
                      ? [
                          {
                            id: 'owner',
                            header: 'Whose',
                            cell: ({ owner }: BatchItem) => owner ?? 'this machine',
                          },
                        ]
                      : []),
                    {
                      id: 'created',
                      header: 'Since',
                      cell: (row) => moment(row.createdAt),
                    },
                  ]}
                />
                <Pager {...page} noun="batches" />
              </>
            )
          }
        </Loaded>
      </Panel>
    </Page>
  );
}
