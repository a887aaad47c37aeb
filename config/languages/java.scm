(class_declaration name: (identifier) @name) @definition.class
(interface_declaration name: (identifier) @name) @definition.interface
(annotation_type_declaration name: (identifier) @name) @definition.interface
(enum_declaration name: (identifier) @name) @definition.type
(record_declaration name: (identifier) @name) @definition.class
(method_declaration name: (identifier) @name) @definition.method
(constructor_declaration name: (identifier) @name) @definition.method
(field_declaration (modifiers) declarator: (variable_declarator name: (identifier) @name)) @definition.constant
(method_invocation name: (identifier) @reference.method)
(object_creation_expression type: (type_identifier) @reference.call)
(type_identifier) @reference.type
(import_declaration (scoped_identifier) @import)
