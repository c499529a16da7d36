import { DataTypeNode, OperationNodeTransformer, RawNode } from 'kysely';
import type { ColumnDefinitionNode, KyselyPlugin } from 'kysely';

/**
 * Makes columns of text that compare by their bytes, as SQLite's do: the language of a database would sort ids otherwise,
 * and find no prefix.
 */
export function cCollation(): KyselyPlugin {
  const transformer = new TextColumns();
  return {
    transformQuery: ({ node }) =>
      node.kind === 'CreateTableNode' || node.kind === 'AlterTableNode' ? transformer.transformNode(node) : node,
    transformResult: ({ result }) => Promise.resolve(result),
  };
}

class TextColumns extends OperationNodeTransformer {
  protected override transformColumnDefinition(node: ColumnDefinitionNode): ColumnDefinitionNode {
    const column = super.transformColumnDefinition(node);
    const isText = DataTypeNode.is(column.dataType) && column.dataType.dataType === 'text';
    return isText ? { ...column, dataType: RawNode.createWithSql('text collate "C"') } : column;
  }
}
