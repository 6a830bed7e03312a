/* Expat keeps its handlers, and contracts know no callbacks that are kept: this one is C, and lives in the domain.
 * `expat-sys` hands no include directory on, so the declarations of expat.h stand here again. */

typedef struct XML_ParserStruct *XML_Parser;
typedef struct XML_cp XML_Content;
typedef void (*XML_ElementDeclHandler)(void *userData, const char *name, XML_Content *model);

void XML_UseParserAsHandlerArg(XML_Parser parser);
void XML_SetElementDeclHandler(XML_Parser parser, XML_ElementDeclHandler eldecl);
void XML_FreeContentModel(XML_Parser parser, XML_Content *model);

/* "It's the caller's responsibility to free model when finished with it." */
static void declared(void *userData, const char *name, XML_Content *model) {
    (void)name;
    XML_FreeContentModel((XML_Parser)userData, model);
}

/* Has the parser build the content model of each element that is declared. */
void handler_set(XML_Parser parser);
void handler_set(XML_Parser parser) {
    XML_UseParserAsHandlerArg(parser);
    XML_SetElementDeclHandler(parser, declared);
}
