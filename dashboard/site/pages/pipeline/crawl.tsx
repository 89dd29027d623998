import { Page } from '../../components/page.tsx';

export default function Crawl() {
  return <Page title="Crawl">{null}</Page>;
}
