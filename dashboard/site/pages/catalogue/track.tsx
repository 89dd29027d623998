import { Page } from '../../components/page.tsx';

export default function Track() {
  return <Page title="Track">{null}</Page>;
}
