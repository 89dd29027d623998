/** Who did what, when, and what came of it. */
import type { AuditEntry } from '../../../api/access/schemas.ts';
import { useAddressFilter } from '../../components/address-filter.ts';
import { TypedField } from '../../components/field.tsx';
import { IdLink } from '../../components/id-link.tsx';
import { type Paged, useList } from '../../components/list.ts';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { SavedViews } from '../../components/saved-views.tsx';
import { Status } from '../../components/status.tsx';
import { DataTable, Pager } from '../../components/table.tsx';
import { moment } from '../../format.ts';

const filters = ['who', 'action', 'target'] as const;

export default function AuditPage() {
  const [search, set] = useAddressFilter();
  const audit = useList<Paged<AuditEntry>>(
    '/audit',
    Object.fromEntries(filters.map((name) => [name, search.get(name)])),
  );
  return (
    <Page
      title="Audit"
      lead="Who started, changed, cancelled, promoted or deleted what; also what was refused."
      actions={<SavedViews />}
    >
      <div className="filters">
        {filters.map((name) => (
          <TypedField
            key={name}
            label={name === 'target' ? 'done to' : name}
            value={search.get(name) ?? ''}
            onSettled={(value) => set(name, value)}
          />
        ))}
      </div>
      <Panel title="Entries, newest first">
        <Loaded query={audit}>
          {({ items, ...page }) =>
            items.length === 0 ? (
              <Empty title="No entry fits">
                Whatever is changed by these pages, the API or accounts is written here.
              </Empty>
            ) : (
              <>
                <DataTable
                  caption="Entries of the audit"
                  rows={items}
                  rowId={({ id }) => String(id)}
                  columns={[
                    { id: 'at', header: 'When', cell: ({ at }) => moment(at) },
                    { id: 'who', header: 'Who', cell: ({ who }) => who },
                    { id: 'action', header: 'What', cell: ({ action }) => <code>{action}</code> },
                    {
                      id: 'target',
                      header: 'Done to',
                      cell: ({ target }) => target && <IdLink id={target} />,
                    },
                    {
                      id: 'details',
                      header: 'Asked for',
                      prose: true,
                      cell: ({ details }) =>
                        Object.keys(details).length > 0 ? (
                          <code>{JSON.stringify(details).slice(0, 300)}</code>
                        ) : (
                          ''
                        ),
                    },
                    {
                      id: 'outcome',
                      header: 'Outcome',
                      prose: true,
                      cell: ({ status, reason }) => (
                        <>
                          {status < 400 ? (
                            <Status state="done" />
                          ) : (
                            <Status state="failed" word={`refused (${status})`} />
                          )}
                          {reason && <small> {reason}</small>}
                        </>
                      ),
                    },
                  ]}
                />
                <Pager {...page} noun="entries" />
              </>
            )
          }
        </Loaded>
      </Panel>
    </Page>
  );
}
