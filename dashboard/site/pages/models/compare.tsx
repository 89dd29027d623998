import { Page } from '../../components/page.tsx';

export default function Compare() {
  return <Page title="Compare">{null}</Page>;
}
