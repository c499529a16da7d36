/** What is known of the database that a migration will run on. Names are `schema.name`, types as `format_type` writes them. */
export interface Catalog {
  readonly tables: ReadonlyMap<string, CatalogTable>;
}

export interface CatalogTable {
  /** Estimate of the planner; undefined when the table was never analysed. */
  readonly rows: number | undefined;
  readonly bytes: number;
  /** Types of the columns by name. */
  readonly columns: ReadonlyMap<string, string>;
  /** Columns of which a validated CHECK constraint says that they are not null. */
  readonly checkedNotNull: ReadonlySet<string>;
  /** Names of unique and primary key constraints and of unique indexes. */
  readonly unique: ReadonlySet<string>;
}
