use natterjack_api_tests::both_databases;
use natterjack_client::protocol::messages::GetMessageQuery;

both_databases! {
    async fn a_sent_message_is_read_back(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let sent = server.send("general", "jane", "m1", "**hello**").await;
        assert_eq!(sent.cid, "messaging:general");
        assert_eq!(sent.html, "<p><strong>hello</strong></p>\n");
        let read = server.client().chat().get_message("m1", GetMessageQuery::default()).await.unwrap();
        assert_eq!(read.message.text, "**hello**");
        assert_eq!(read.message.created_at, sent.created_at);
        assert_eq!(read.message.user.id, "jane");
        assert_eq!(read.message.channel.as_ref().unwrap().cid, "messaging:general");
    }
}
