import { Page } from '../../components/page.tsx';

export default function DataSet() {
  return <Page title="Data set">{null}</Page>;
}
